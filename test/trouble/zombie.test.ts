import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Outbox } from 'synap-outbox'
import type { RequestFault } from 'synap-outbox/testing'
import type { Step } from '../../src/steps'
import { type CrashStage, createCrashStage } from '../crash/crash-stage'
import { checkAgainstTruth } from '../crash/ground-truth'
import { Fleet } from '../crash/process/fleet'
import type { RealProcess } from '../crash/process/real-process'
import { type Gate, openGate } from './support/gate'
import { LONG_RESTS } from './support/trouble-scene'

const fleet = new Fleet()
let stage: CrashStage
let gate: Gate
let zombie: RealProcess
let other: Outbox

beforeEach(async () => {
  stage = await createCrashStage()
  gate = await openGate(stage.segment.url)
  other = stage.outbox({ secretKeys: stage.secretKeys })
  zombie = fleet.take()
  await zombie.ask('open', { ...stage.setup, segmentUrl: gate.url })
})
afterEach(async () => {
  await zombie.end()
  await gate.close()
  await stage.end()
})
afterAll(() => fleet.end())

/** What would change if the zombie settled anything. */
async function everything(): Promise<unknown> {
  const tables = ['outbox_message', 'outbox_batch', 'source_delivery']
  return Promise.all(tables.map((table) => stage.rows(`SELECT * FROM ${table} ORDER BY 1`)))
}

/** The paused process's lease has ended: another process takes the source over and settles all there is. */
async function takeOver(): Promise<unknown> {
  await stage.rows(`UPDATE source_delivery SET lease_expires_at = '-infinity', resume_at = '-infinity'`)
  await other.drain()
  await checkAgainstTruth(stage.dataSource, stage.segment, stage.portals)
  return everything()
}

describe('a process that is paused (SIGSTOP) past its lease and resumed (SIGCONT) settles nothing, and says so', () => {
  const answers: [string, readonly RequestFault[], 'release' | 'reset'][] = [
    ['its request is answered with success', [], 'release'],
    ['its request is refused', [{ kind: 'status', status: 400 }], 'release'],
    ['its write key is refused', [{ kind: 'status', status: 401 }], 'release'],
    ['its request is throttled', [{ kind: 'status', status: 429 }], 'release'],
    ['its connection is reset', [], 'reset'],
  ]
  it.each(answers)('while its request was out: %s', async (_, faults, ending) => {
    await zombie.ask('record', stage.facts(['committed', 'rolledBack', 'committed']))
    stage.segment.fault(faults)
    const hold = gate.hold('answer')
    await zombie.ask('start', null)
    await hold.arrived()
    zombie.signal('SIGSTOP')
    const settled = await takeOver()

    hold[ending]()
    zombie.signal('SIGCONT')
    const { payload } = await zombie.seen('leaseLost')
    expect(payload).toMatchObject({ sourceId: expect.any(String), token: '1' })
    await zombie.ask('stop', null)
    expect(await everything()).toEqual(settled)
    expect(zombie.events.filter(({ event }) => ['settled', 'resting', 'error'].includes(event))).toEqual([])
  })

  const steps: [Step, readonly RequestFault[]][] = [
    ['batch:before', []],
    ['batch:after', []],
    ['send:before', []],
    ['send:after', []],
    ['settle:before', []],
    ['split:before', [{ kind: 'status', status: 400 }]],
    ['postpone:before', [{ kind: 'reset-after-accept' }]],
  ]
  it.each(steps)('at %s', async (step, faults) => {
    await zombie.ask('record', stage.facts(['committed', 'rolledBack', 'committed', 'poison', 'committed']))
    stage.segment.fault(faults)
    await zombie.ask('pauseAt', { step, nth: 1 })
    await zombie.ask('start', null)
    await zombie.paused()
    const settled = await takeOver()

    zombie.signal('SIGCONT')
    await zombie.seen('leaseLost')
    await zombie.ask('stop', null)
    expect(await everything()).toEqual(settled)
    expect(zombie.events.filter(({ event }) => ['settled', 'resting', 'error'].includes(event))).toEqual([])
    await checkAgainstTruth(stage.dataSource, stage.segment, stage.portals)
  })

  it('and does not give back a lease that is no longer its own', async () => {
    await zombie.ask('record', stage.facts(['committed']))
    await zombie.ask('pauseAt', { step: 'release:before', nth: 1 })
    await zombie.ask('start', null)
    await zombie.paused()
    await stage.rows(`UPDATE source_delivery SET lease_expires_at = '-infinity'`)
    await other.drain() // nothing to send, so nothing to lease
    await stage.rows(`UPDATE source_delivery SET lease_token = lease_token + 1, lease_owner = 'another process',
                                                 lease_expires_at = now() + interval '1 hour'`)
    zombie.signal('SIGCONT')
    await zombie.ask('stop', null)
    const [held] = await stage.rows(`SELECT lease_owner FROM source_delivery WHERE lease_expires_at > now()`)
    expect(held).toEqual({ lease_owner: 'another process' })
  })
})

it('a process that comes back too late to send in time does not send at all: nothing is in doubt', async () => {
  const timeoutMs = 100
  const late = stage.outbox({
    secretKeys: stage.secretKeys,
    segment: { host: gate.url, timeoutMs },
    dispatcher: LONG_RESTS,
  })
  await zombie.ask('record', stage.facts(['committed', 'rolledBack', 'committed']))
  // Laid out and about to go, and then nothing runs for longer than the request may take.
  const pause = ({ step }: { step: Step }) => {
    const until = performance.now() + timeoutMs + 1
    while (step === 'send:before' && performance.now() < until);
  }
  const listener = (message: unknown) => pause(message as { step: Step })
  subscribe('synap-outbox:step', listener)
  expect(await late.drain()).toMatchObject({ postponed: 1, delivered: 0 })
  unsubscribe('synap-outbox:step', listener)
  expect(stage.segment.requests().filter(({ path }) => path === '/v1/batch')).toEqual([])
  expect(await stage.rows('SELECT first_ambiguous_at FROM outbox_batch')).toEqual([
    { first_ambiguous_at: null },
  ])
  await takeOver()
})

it('a process that nobody took over from goes on where it was: its token is still the last', async () => {
  await zombie.ask('record', stage.facts(['committed', 'committed']))
  const hold = gate.hold('answer')
  await zombie.ask('start', null)
  await hold.arrived()
  zombie.signal('SIGSTOP')
  await stage.rows(`UPDATE source_delivery SET lease_expires_at = '-infinity'`)
  hold.release()
  zombie.signal('SIGCONT')
  await zombie.seen('settled')
  await zombie.ask('stop', null)
  await checkAgainstTruth(stage.dataSource, stage.segment, stage.portals)
  expect(stage.segment.duplicates()).toEqual([])
})

it('a process whose own lease ended unnoticed does not take it again beside its turn', async () => {
  await zombie.ask('record', stage.facts(['committed', 'committed']))
  const hold = gate.hold('answer')
  await zombie.ask('start', null)
  await hold.arrived()
  await stage.rows(`UPDATE source_delivery SET lease_expires_at = '-infinity'`)
  await zombie.ask('record', stage.facts(['committed', 'second'])) // a wake-up, and a look at what is due
  await stage.segment.waitFor({ accepted: 3 })
  const [first] = stage.portals
  const out = stage.segment
    .requests()
    .filter(({ path, writeKey }) => path === '/v1/batch' && writeKey === first.writeKey)
  expect(out).toHaveLength(1)
  hold.release()
  await stage.segment.waitFor({ accepted: 4 })
  await zombie.ask('stop', null)
  await checkAgainstTruth(stage.dataSource, stage.segment, stage.portals)
  expect(stage.segment.duplicates()).toEqual([])
})
