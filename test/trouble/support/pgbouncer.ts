import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'

/** A real PgBouncer in front of the tests' PostgreSQL. */
export interface PgBouncer {
  /** The same database, through PgBouncer. */
  through(databaseUrl: string): string
  /** SIGKILL, and a new one on the same port. */
  replace(): Promise<void>
  stop(): Promise<void>
}

/** A program of the machine's, not of a package. */
const PROGRAM = 'pgbouncer'
/** Debian puts it where an ordinary user's PATH does not look. */
const PATH = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`

export function hasPgBouncer(): boolean {
  return spawnSync(PROGRAM, ['--version'], { env: { PATH } }).status === 0
}

/** @param connections to PostgreSQL: fewer than the clients', so that they have to share */
export async function startPgBouncer(
  serverUrl: string,
  connections: number,
  mode: 'session' | 'transaction' | 'statement' = 'transaction',
): Promise<PgBouncer> {
  const server = new URL(serverUrl)
  const port = await freePort()
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'synap-outbox-pgbouncer-'))
  fs.chmodSync(folder, 0o755) // it gives up root for another account
  const config = path.join(folder, 'pgbouncer.ini')
  const { hostname, username, password } = server
  fs.writeFileSync(
    config,
    `[databases]
* = host=${hostname} port=${server.port || 5432} user=${username} password=${decodeURIComponent(password)}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
default_pool_size = ${connections}
`,
  )
  let running = await launch(config)
  const end = async () => {
    if (running.exitCode !== null || running.signalCode !== null) return
    running.kill('SIGKILL')
    await once(running, 'close')
  }
  return {
    through(databaseUrl) {
      const url = new URL(databaseUrl)
      url.host = `127.0.0.1:${port}`
      return url.href
    },
    async replace() {
      await end()
      running = await launch(config)
    },
    async stop() {
      await end()
      fs.rmSync(folder, { recursive: true })
    },
  }
}

async function launch(config: string) {
  // It refuses to run as root.
  const account = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const child = spawn(PROGRAM, [...account, config], { env: { PATH }, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => reject(new Error(`PgBouncer did not start: ${said}`)))
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString()
        if (said.includes('process up')) resolve()
      })
    }
  })
  child.removeAllListeners('close')
  return child
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
