// Several processes record and dispatch for many portals, while they are killed and Segment fails at random. Then it is
// quiet: one process drains to the end, and counts, order and ids are compared with the business table, exactly.
//
//   npm run storm -- --minutes 10 --seed 42
//
// The last line is the report, as JSON. Exits 1 unless nothing was lost, doubled, leaked or out of order. The seed
// repeats the faults and kills that are ordered, not the moments at which they meet a process.
import { randomInt } from 'node:crypto'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { build, loadServers } from './storm-build.mjs'
import { randomFrom } from './storm-random.mjs'
import { createStage } from './storm-stage.mjs'
import { faults, Processes } from './storm-weather.mjs'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(randomInt(1_000_000)) },
    processes: { type: 'string', default: '3' },
    portals: { type: 'string', default: '20' },
    recorders: { type: 'string', default: '4' },
  },
})
const [minutes, seed, processes, portals, recorders] = [
  values.minutes,
  values.seed,
  values.processes,
  values.portals,
  values.recorders,
].map(Number)
const QUIET_MS = 60_000
/** Not one of these may have happened. */
const NOT_ONE = ['crashes', 'lost', 'duplicatesAfterDedup', 'leaked', 'wrongIds', 'orderViolations']

const built = build()
let server
let stage
try {
  server = process.env.DATABASE_URL ? undefined : await startServer()
  stage = await createStage(built.folder, process.env.DATABASE_URL || server.url('postgres'), portals)
  const blown = await blow()
  const drained = await drain()
  const report = { seed, minutes, ...blown, ...(await stage.verify()), drained }
  console.log(JSON.stringify(report))
  const broken = NOT_ONE.filter((name) => report[name] !== 0)
  if (broken.length > 0 || !drained) process.exitCode = 1
} finally {
  await stage?.end()
  await server?.stop()
  built.remove()
}

async function blow() {
  const { url, hosts, portals: names } = stage
  const children = new Processes({ folder: built.folder, url, hosts, portals: names, recorders, seed })
  const until = performance.now() + minutes * 60_000
  for (let i = 0; i < processes; i++) children.start()
  try {
    await Promise.all([faults(stage, randomFrom(seed), until), children.disturb(randomFrom(seed + 1), until)])
  } finally {
    await children.end()
  }
  const { kills, pauses, crashes } = children
  return { kills, pauses, crashes }
}

/** Everything recovers, and one process drains. Returns whether it came to the end. */
async function drain() {
  await stage.quiet()
  const ends = performance.now() + QUIET_MS
  for (;;) {
    await stage.outbox.drain()
    const [{ pending }] = await stage.dataSource.query(
      `SELECT count(*)::int AS pending FROM outbox_message WHERE status = 'pending'`,
    )
    if (pending === 0) return true
    if (performance.now() > ends) return false
    await pause(100) // leases of killed processes and rests of sources end
  }
}

async function startServer() {
  const { startEmbeddedPostgres } = await loadServers(built.folder)
  const directory = path.join(os.tmpdir(), `synap-outbox-storm-${process.pid}`)
  return startEmbeddedPostgres({ directory, keep: false, settings: { fsync: 'off', max_connections: '100' } })
}
