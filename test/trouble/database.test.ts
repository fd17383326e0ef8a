import { type CrashStage, createCrashStage } from '../crash/crash-stage'
import { checkAgainstTruth } from '../crash/ground-truth'
import { Fleet } from '../crash/process/fleet'
import type { Setup } from '../crash/process/protocol'
import type { RealProcess } from '../crash/process/real-process'
import { onServer } from '../support/template'
import { type Gate, openGate } from './support/gate'

const EACH_SECOND = '* * * * * *'
const SIX = Array.from({ length: 6 }, () => 'committed' as const)

const fleet = new Fleet()
let stage: CrashStage
let gate: Gate
let process: RealProcess

beforeEach(async () => {
  stage = await createCrashStage()
  gate = await openGate(stage.segment.url)
  process = fleet.take()
})
afterEach(async () => {
  await process.end()
  await gate.close()
  await stage.end()
})
afterAll(() => fleet.end())

/** The process starts dispatching, with its own look at what is due each second. */
async function start(more: Partial<Setup> = {}): Promise<void> {
  const dispatcher = { cron: EACH_SECOND, ...stage.setup.dispatcher }
  await process.ask('open', { ...stage.setup, dispatcher, segmentUrl: gate.url, ...more })
  await process.ask('start', null)
}

/** A request is out; Segment has accepted it, and the process does not know. */
async function requestIsOut(): Promise<{ release(): void }> {
  const hold = gate.hold('answer')
  await process.ask('record', stage.facts(['committed', 'rolledBack', 'committed']))
  await hold.arrived()
  return hold
}

/** Ends all of the process's sessions; resolves when they are gone. */
const terminate = () =>
  stage.rows(`SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
              WHERE datname = current_database() AND application_name = 'exam-process'`)

/** For sessions that begin from now on. */
async function alterDatabase(change: string): Promise<void> {
  const [row] = await stage.rows<{ name: string }>('SELECT current_database() AS name')
  const server = globalThis.process.env.TEST_SERVER_URL as string
  await onServer(server, `ALTER DATABASE "${row?.name}" ${change}`)
}

/** The process goes on by itself, ends in good order, and everything committed has arrived once. */
async function goesOn(recorders?: 'at once'): Promise<void> {
  await process.ask('record', stage.facts(['committed', 'second', 'rolledBack']))
  const facts = await stage.rows('SELECT FROM exam_fact')
  await stage.segment.waitFor({ accepted: facts.length })
  await process.ask('stop', null)
  expect(await process.letGo()).toEqual({ code: 0, signal: null })
  await checkAgainstTruth(stage.dataSource, stage.segment, stage.portals, recorders)
}

describe('connections that are terminated', () => {
  it('while a request is out: its answer is settled through a new one, and nothing is sent again', async () => {
    await start()
    const hold = await requestIsOut()
    await terminate()
    hold.release()
    await process.seen('settled')
    await goesOn()
    expect(stage.segment.duplicates()).toEqual([])
  })

  it('again and again while it drains: each failure is reported, none ends the process', async () => {
    await start({ dispatcher: { cron: EACH_SECOND, batchMessages: 1, leaseMs: 1000 }, timeoutMs: 500 })
    await process.ask('record', stage.facts([...SIX, ...SIX, ...SIX, ...SIX, ...SIX]))
    for (let i = 0; i < 10; i++) await terminate()
    await goesOn()
  })

  it('and refused for a while: it waits and goes on', async () => {
    await start()
    const hold = await requestIsOut()
    await alterDatabase('ALLOW_CONNECTIONS false')
    await terminate()
    hold.release()
    await process.seen('error', ({ error }) => String(error).includes('not currently accepting connections'))
    await alterDatabase('ALLOW_CONNECTIONS true')
    await process.seen('settled')
    await goesOn()
    expect(stage.segment.duplicates()).toEqual([])
  })
})

describe('a primary that turns read-only and back, as in a failover', () => {
  it('settles what was out once it can be written to again', async () => {
    await start()
    const hold = await requestIsOut()
    await alterDatabase('SET default_transaction_read_only = on')
    await terminate()
    hold.release()
    await process.seen('error', ({ error }) => String(error).includes('read-only transaction'))
    await alterDatabase('SET default_transaction_read_only = off')
    await terminate()
    await process.seen('settled')
    await goesOn()
    expect(stage.segment.duplicates()).toEqual([])
  })
})

describe('statements that time out', () => {
  it('while settling waits for a lock: it tries again, and nothing is sent again', async () => {
    await alterDatabase(`SET statement_timeout = '100ms'`)
    await start()
    const hold = await requestIsOut()
    await whileLocked(async () => {
      hold.release()
      await process.seen('error', ({ error }) => String(error).includes('statement timeout'))
    })
    await process.seen('settled')
    await goesOn()
    expect(stage.segment.duplicates()).toEqual([])
  })

  it('always: the source rests, instead of failing as fast as it can, and goes on when it can', async () => {
    await process.ask('open', stage.setup)
    await process.ask('record', stage.facts(['committed', 'committed']))
    // What a statement fails with again and again, whatever the reason.
    await stage.rows('ALTER TABLE outbox_batch ADD CONSTRAINT impossible CHECK (false) NOT VALID')
    await expect(process.ask('drain', null)).rejects.toThrow('impossible')
    const [delivery] = await stage.rows(
      'SELECT failures, last_error, lease_owner FROM source_delivery WHERE failures > 0',
    )
    expect(delivery).toMatchObject({ last_error: expect.stringContaining('impossible'), lease_owner: null })
    await stage.rows('ALTER TABLE outbox_batch DROP CONSTRAINT impossible')
    await process.ask('start', null)
    await goesOn()
  })
})

describe.each(['serializable', 'repeatable read'])('%s by default', (isolation) => {
  it('several processes record and drain at once: what conflicts is repeated', async () => {
    await alterDatabase(`SET default_transaction_isolation = '${isolation}'`)
    const second = fleet.take()
    await start({ dispatcher: { cron: EACH_SECOND, batchMessages: 3 } })
    await second.ask('open', { ...stage.setup, dispatcher: { cron: EACH_SECOND, batchMessages: 3 } })
    await second.ask('start', null)
    const kinds = Array.from(
      { length: 24 },
      (_, i) => (['committed', 'second', 'rolledBack'] as const)[i % 3] ?? 'second',
    )
    await Promise.all([process, second].map((each) => each.ask('record', stage.facts(kinds))))
    await second.ask('stop', null)
    await goesOn('at once')
    await second.end()
  })
})

/** Runs `act` while another session holds the sources' run-time state. */
async function whileLocked(act: () => Promise<void>): Promise<void> {
  const runner = stage.dataSource.createQueryRunner()
  try {
    await runner.startTransaction()
    await runner.query('SELECT FROM source_delivery FOR UPDATE')
    await act()
  } finally {
    await runner.rollbackTransaction()
    await runner.release()
  }
}
