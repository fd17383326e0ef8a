import { createOutbox } from 'synap-outbox'
import { type LocalSegment, startLocalSegment } from 'synap-outbox/testing'
import { checkAgainstTruth, type Portal } from '../crash/ground-truth'
import { FACT_TABLE, type Fact, SECRET_KEYS, type Setup } from '../crash/process/protocol'
import { RealProcess } from '../crash/process/real-process'
import { random } from '../support/scene'
import { type Gate, openGate } from './support/gate'
import { type OwnServer, startOwnServer } from './support/own-server'

const EACH_SECOND = '* * * * * *'

let server: OwnServer
let segment: LocalSegment
let gate: Gate
let portal: Portal
let setup: Setup
let process: RealProcess
/** Facts that were committed so far. */
let committed: number

beforeAll(async () => {
  ;[server, segment] = await Promise.all([startOwnServer(), startLocalSegment()])
  gate = await openGate(segment.url)
})
beforeEach(async () => {
  const dataSource = await server.connect()
  await dataSource.query(`TRUNCATE outbox_message, outbox_batch, segment_source CASCADE`)
  await dataSource.query(`DROP TABLE IF EXISTS exam_fact; ${FACT_TABLE}`)
  committed = 0
  const outbox = createOutbox({ dataSource, secretKeys: SECRET_KEYS, segment: { host: segment.url } })
  portal = { portalId: random(), writeKey: random(16) }
  segment.addWriteKey(portal.writeKey)
  await outbox.sources.connect(portal)
  await dataSource.destroy()
  setup = {
    databaseUrl: server.url,
    segmentUrl: gate.url,
    // Short leases, so that what is left to them ends soon; pruning too has to survive a database that is away.
    dispatcher: { cron: EACH_SECOND, leaseMs: 2000 },
    retention: { cron: EACH_SECOND },
    timeoutMs: 1000,
  }
  process = await RealProcess.open(setup)
})
afterEach(() => process.end())
afterAll(async () => {
  await gate.close()
  await segment.close()
  await server.stop()
})

const facts = (count: number): Fact[] =>
  Array.from({ length: count }, (_, i) => ({
    id: random(),
    portalId: portal.portalId,
    rolledBack: i % 3 === 2,
  }))

async function record(count: number): Promise<void> {
  const recorded = facts(count)
  await process.ask('record', recorded)
  committed += recorded.filter((fact) => !fact.rolledBack).length
}

const allAccepted = () =>
  segment.waitFor((local) => local.accepted({ writeKey: portal.writeKey }).length === committed)

const requests = () =>
  segment.requests().filter(({ path, writeKey }) => path === '/v1/batch' && writeKey === portal.writeKey)

/** The process goes on by itself with what is recorded now, ends in good order, and everything is as it should be. */
async function goesOn(): Promise<void> {
  await record(3)
  await allAccepted()
  await process.ask('stop', null)
  expect(await process.letGo()).toEqual({ code: 0, signal: null })
  const dataSource = await server.connect()
  await checkAgainstTruth(dataSource, segment, [portal])
  await dataSource.destroy()
}

describe('PostgreSQL is killed (SIGKILL) and started again', () => {
  it('while an answer was on its way: it is settled when the database is back, and not sent again', async () => {
    await process.ask('start', null)
    const hold = gate.hold('answer')
    await record(5)
    await hold.arrived()
    await server.kill()
    hold.release()
    await process.seen('error', ({ during }) => during === 'turn')
    await server.restart()
    await process.seen('settled')
    expect(requests().length).toBeLessThanOrEqual(2) // what came in between the request and the crash goes out too
    expect(segment.duplicates({ writeKey: portal.writeKey })).toEqual([])
    await goesOn()
  })

  it('for longer than the lease: the next one sends again, under the same ids', async () => {
    await process.ask('start', null)
    const hold = gate.hold('answer')
    await record(2)
    await hold.arrived()
    await server.kill()
    hold.release()
    await process.seen('error', ({ during }) => during === 'release') // it gave up settling
    await server.restart()
    await process.seen('settled')
    const [first, second] = requests()
    expect(second?.messageIds.slice(0, first?.messageIds.length)).toEqual(first?.messageIds)
    await goesOn()
  })

  it('and stop() while it is away ends at once, and leaves what it knows to the next one', async () => {
    await process.ask('start', null)
    const hold = gate.hold('answer')
    await record(2)
    await hold.arrived()
    await server.kill()
    hold.release()
    await process.seen('error', ({ during }) => during === 'turn')
    await process.ask('stop', null)
    expect(await process.letGo()).toEqual({ code: 0, signal: null })
    await server.restart()
    process = await RealProcess.open(setup)
    await process.ask('start', null)
    await goesOn()
  })

  it('while nothing was going on: looking and pruning fail and are reported, and go on by themselves', async () => {
    await record(2)
    await server.kill()
    await process.ask('start', null).catch(() => undefined) // cannot check the schema
    await expect(process.ask('record', facts(1))).rejects.toThrow() // the application's own trouble
    await server.restart()
    await process.ask('start', null)
    await allAccepted()
    await server.kill()
    await process.seen('error', ({ during }) => during === 'lease')
    await process.seen('error', ({ during }) => during === 'prune')
    await server.restart()
    await goesOn()
  })
})
