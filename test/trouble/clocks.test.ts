import type { Outbox } from 'synap-outbox'
import { type CrashStage, createCrashStage } from '../crash/crash-stage'
import { checkAgainstTruth } from '../crash/ground-truth'
import { Fleet } from '../crash/process/fleet'
import { type Gate, openGate } from './support/gate'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** Far more than a test takes, far less than the clocks are apart. */
const ABOUT = 2 * MINUTE
const EACH_SECOND = '* * * * * *'

const fleet = new Fleet()
const process = fleet.take()
let stage: CrashStage
let gate: Gate
let other: Outbox

beforeEach(async () => {
  stage = await createCrashStage()
  gate = await openGate(stage.segment.url)
  other = stage.outbox({ secretKeys: stage.secretKeys })
})
afterEach(async () => {
  await process.ask('stop', null)
  await gate.close()
  await stage.end()
})
afterAll(() => fleet.end())

async function open(offsetMs: number): Promise<void> {
  await process.ask('setHostClock', { offsetMs })
  const backoff = { initialMs: 30 * MINUTE, maxMs: 30 * MINUTE, refusedMs: 30 * MINUTE }
  await process.ask('open', {
    ...stage.setup,
    segmentUrl: gate.url,
    dispatcher: { cron: EACH_SECOND, leaseMs: 5 * MINUTE, backoff },
  })
}

/** Milliseconds from now, by the database's clock, to a moment in one of its rows. */
async function fromNow(column: string, table: string, where = 'true'): Promise<number> {
  const [row] = await stage.rows<{ ms: number }>(
    `SELECT extract(epoch FROM ${column} - clock_timestamp())::float8 * 1000 AS ms FROM ${table}
     WHERE ${where} AND isfinite(${column})`,
  )
  return row?.ms ?? Number.NaN
}

const close = (ms: number, to: number) => expect(Math.abs(ms - to)).toBeLessThan(ABOUT)

describe.each([
  ['ten minutes behind', -10 * MINUTE],
  ['ten minutes ahead', 10 * MINUTE],
  ['two days ahead', 48 * HOUR],
])('a host whose clock is %s of the database’s', (_, offsetMs) => {
  beforeEach(() => open(offsetMs))

  it('leases for as long as it should, and keeps others off as long', async () => {
    await process.ask('record', stage.facts(['committed']))
    const hold = gate.hold('answer')
    await process.ask('start', null)
    await hold.arrived()
    close(await fromNow('lease_expires_at', 'source_delivery'), 5 * MINUTE)
    expect(await other.drain()).toMatchObject({ turns: 0 })
    hold.release()
    await process.ask('stop', null)
    await checkAgainstTruth(stage.dataSource, stage.segment, stage.portals)
  })

  it('starts the dedup window now, sends again inside it, and not after it', async () => {
    await process.ask('record', stage.facts(['committed']))
    stage.segment.fault({ kind: 'reset-after-accept' }, { times: 2 })
    await process.ask('drain', null)
    close(await fromNow('first_ambiguous_at', 'outbox_batch'), 0)
    await stage.letTimePass()
    expect(await process.ask('drain', null)).toMatchObject({ requests: 1, uncertain: 0 })
    await stage.letTimePass()
    await stage.rows(`UPDATE outbox_batch SET first_ambiguous_at = first_ambiguous_at - interval '24 hours'`)
    expect(await process.ask('drain', null)).toMatchObject({ requests: 0, uncertain: 1 })
  })

  it.each([
    ['in seconds', () => '600'],
    ['as a date, which is the server’s', () => new Date(Date.now() + 10 * MINUTE).toUTCString()],
  ])('rests for as long as Retry-After asks %s', async (_form, retryAfter) => {
    await process.ask('record', stage.facts(['committed']))
    const headers = { 'retry-after': retryAfter() }
    stage.segment.fault({ kind: 'status', status: 429, headers }, { times: 1 })
    await process.ask('drain', null)
    // Up to 30 minutes of jitter come on top.
    const rests = await fromNow('resume_at', 'source_delivery')
    expect(rests).toBeGreaterThan(10 * MINUTE - ABOUT)
    expect(rests).toBeLessThan(40 * MINUTE + ABOUT)
  })

  it('has its events’ time set right by Segment: what counts is how long ago they were', async () => {
    await process.ask('record', stage.facts(['committed']))
    await process.ask('drain', null)
    const [arrived] = stage.segment.accepted()
    close((arrived?.originalTimestamp?.getTime() ?? 0) - Date.now(), offsetMs)
    close((arrived?.timestamp.getTime() ?? 0) - Date.now(), 0)
  })
})

describe.each([
  ['back by ten minutes', -10 * MINUTE],
  ['forward by a day', 24 * HOUR],
  ['forward by fifty years', 50 * 365 * 24 * HOUR],
])('a host whose clock is set %s while it runs', (_, offsetMs) => {
  it('goes on looking each second: what others recorded and left is found', async () => {
    await open(0)
    await process.ask('start', null)
    await process.ask('record', stage.facts(['committed']))
    await stage.segment.waitFor({ accepted: 1 })
    await process.ask('setHostClock', { offsetMs })
    // Recorded by a process that does not dispatch: nobody is woken.
    const recorder = fleet.take()
    await recorder.ask('open', stage.setup)
    await recorder.ask('record', stage.facts(['committed', 'rolledBack', 'second']))
    await stage.segment.waitFor({ accepted: 3 })
    await recorder.end()
    await process.ask('stop', null)
    await checkAgainstTruth(stage.dataSource, stage.segment, stage.portals)
  })
})
