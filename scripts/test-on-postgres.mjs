// Runs tests on another PostgreSQL than the embedded one, from a folder with its programs:
//
//   node scripts/test-on-postgres.mjs /usr/lib/postgresql/15/bin test/record test/dispatch
//
// The server is started on a free loopback port with throw-away data, and stopped afterwards. As root it runs as the
// account `postgres`, which its packages bring along.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import scratchFolder from '../test/support/scratch-folder.cjs'

const [binaries = '', ...tests] = process.argv.slice(2)
const account = process.getuid?.() === 0 ? accountOf('postgres') : {}
const data = mkdtempSync(path.join(scratchFolder(), 'synap-outbox-other-postgres-'))
if (account.uid !== undefined) chownSync(data, account.uid, account.gid)
const at = { cwd: data, stdio: ['ignore', 'ignore', 'inherit'], ...account }
execFileSync(
  path.join(binaries, 'initdb'),
  ['-D', data, '-U', 'synap', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
  at,
)

const port = await freePort()
const flags = [
  'fsync=off',
  'max_connections=200',
  'wal_level=logical',
  'max_prepared_transactions=10',
].flatMap((setting) => ['-c', setting])
const server = spawn(
  path.join(binaries, 'postgres'),
  ['-D', data, '-p', port, '-h', '127.0.0.1', '-k', '', ...flags],
  {
    ...at,
    stdio: ['ignore', 'ignore', 'pipe'],
  },
)
let said = ''
for await (const chunk of server.stderr) {
  said += chunk
  if (said.includes('ready to accept connections')) break
}
server.stderr.resume()
try {
  const jest = spawnSync(process.execPath, ['node_modules/jest/bin/jest.js', ...tests], {
    stdio: 'inherit',
    env: { ...process.env, DATABASE_URL: `postgres://synap:trusted@127.0.0.1:${port}/postgres` },
  })
  process.exitCode = jest.status ?? 1
} finally {
  server.kill('SIGINT')
  if (server.exitCode === null) await once(server, 'exit')
  rmSync(data, { recursive: true, force: true })
}

function accountOf(name) {
  const [uid, gid] = ['-u', '-g'].map((flag) =>
    Number(execFileSync('id', [flag, name], { encoding: 'utf8' })),
  )
  return { uid, gid }
}

async function freePort() {
  const probe = net.createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return String(port)
}
