import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import path from 'node:path'
import type { Account } from './account'
import { OWNER_SETTING } from './leftover'

export interface Launch {
  binaries: string
  directory: string
  account: Account
  settings: Record<string, string>
  port?: number
}

const PORT_TRIES = 3

/** Starts the server and waits until it is ready. A free port may be taken by another process just before: again. */
export async function launch(options: Launch): Promise<{ child: ChildProcess; port: number }> {
  for (let tries = 1; ; tries++) {
    const port = options.port || (await freePort())
    try {
      return { child: await launchOn(port, options), port }
    } catch (error) {
      if (options.port || tries === PORT_TRIES || !/already in use/.test((error as Error).message))
        throw error
    }
  }
}

async function launchOn(port: number, options: Launch): Promise<ChildProcess> {
  const { binaries, directory, account, settings } = options
  const all = { ...settings, [OWNER_SETTING]: `${process.pid}` }
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = spawn(
    path.join(binaries, 'postgres'),
    ['-D', directory, '-p', `${port}`, '-h', '127.0.0.1', '-k', '', ...flags],
    // A process group of its own: Ctrl-C in the terminal must reach the application, which then stops us last.
    { ...account, cwd: directory, detached: true, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let said = ''
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => reject(new Error(`PostgreSQL did not start: ${said.trim()}`)))
    child.stderr?.on('data', (chunk: Buffer) => {
      if (said.length < 20_000) said += chunk.toString('utf8')
      if (said.includes('ready to accept connections')) resolve()
    })
  })
  child.removeAllListeners('close')
  child.unref()
  ;(child.stderr as net.Socket | null)?.unref()
  return child
}

/** Fast shutdown: sessions are ended, data is flushed. Resolves when the process is gone. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.ref() // or the event loop could end, and with it this process, before the server has
  child.kill('SIGINT')
  await once(child, 'exit')
}

/**
 * Waits for the end of the pipe that only this process holds open, so even after a SIGKILL: then ends the server, and
 * removes the data directory if it is not to be kept.
 */
const GUARD = `
read -r _
kill -INT "$1" 2>/dev/null
[ -n "$2" ] || exit 0
tries=0
while [ $tries -lt 30 ] && kill -0 "$1" 2>/dev/null; do sleep 1; tries=$((tries + 1)); done
rm -rf -- "$2"`

/** Ends the server when this process ends in any way. */
export function guard(server: ChildProcess, directory: string, keep: boolean): void {
  if (process.platform === 'win32') return
  const args = ['-c', GUARD, 'sh', `${server.pid}`, keep ? '' : directory]
  const child = spawn('sh', args, { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  child.on('error', () => {}) // no shell: the server may be left over, and the next start ends it
  child.unref()
  ;(child.stdin as net.Socket | null)?.unref()
  server.once('exit', () => child.kill('SIGKILL')) // from now on its pid may belong to another process
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
