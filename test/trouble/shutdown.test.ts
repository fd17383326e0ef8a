import type { Outbox } from 'synap-outbox'
import { type CrashStage, createCrashStage } from '../crash/crash-stage'
import { checkAgainstTruth } from '../crash/ground-truth'
import { Fleet } from '../crash/process/fleet'
import type { Connected } from '../support/scene'
import { type Gate, openGate } from './support/gate'
import { createTroubleScene, LONG_RESTS, type TroubleScene } from './support/trouble-scene'

describe('stop()', () => {
  let scene: TroubleScene
  let outbox: Outbox
  let portal: Connected

  beforeEach(async () => {
    scene = await createTroubleScene()
    outbox = scene.outbox({ dispatcher: LONG_RESTS })
    portal = await scene.connect(outbox)
  })
  afterEach(() => scene.end())

  const statuses = async () => (await scene.messages(portal)).map(({ status }) => status)
  const nothingIsHeld = async () => {
    expect(await scene.delivery(portal)).toMatchObject({ leaseOwner: null, leasedForMs: -1 })
    expect((await scene.batches(portal)).filter(({ out }) => out)).toEqual([])
  }

  it('with a request in flight: waits for its answer and settles it', async () => {
    await outbox.start()
    const hold = scene.gate.hold('answer')
    await scene.recordSome(outbox, portal, 2)
    await hold.arrived()
    let stopped = false
    const stopping = outbox.stop().then(() => (stopped = true))
    await scene.recordSome(outbox, portal) // committed while it stops: stays for the next start
    expect(stopped).toBe(false)
    hold.release()
    await stopping
    expect(await statuses()).toEqual(['delivered', 'delivered', 'pending'])
    await nothingIsHeld()
  })

  it('with a request in flight that is then refused: the batch is split or postponed, and stays for the next start', async () => {
    await outbox.start()
    const hold = scene.gate.hold('answer')
    scene.segment.fault({ kind: 'status', status: 400 }, { times: 1 })
    await scene.recordSome(outbox, portal, 2)
    await hold.arrived()
    const stopping = outbox.stop()
    hold.release()
    await stopping
    expect((await scene.batches(portal)).map(({ outcome }) => outcome)).toEqual(['split', null, null])
    await nothingIsHeld()
    expect(await outbox.drain()).toMatchObject({ delivered: 2, requests: 2 })
  })

  it('twice, at once and again later', async () => {
    await outbox.start()
    const hold = scene.gate.hold('answer')
    await scene.recordSome(outbox, portal)
    await hold.arrived()
    const both = Promise.all([outbox.stop(), outbox.stop()])
    hold.release()
    await both
    await outbox.stop()
    expect(await statuses()).toEqual(['delivered'])
  })

  it('before start, and then start works', async () => {
    await outbox.stop()
    await scene.recordSome(outbox, portal)
    await outbox.start()
    await scene.segment.waitFor({ accepted: 1 })
    await outbox.stop()
    await nothingIsHeld()
  })

  it('during a drain: the drain ends after the request that is out, the rest waits', async () => {
    const small = scene.outbox({ dispatcher: { ...LONG_RESTS, batchMessages: 1 } })
    await scene.recordSome(small, portal, 3)
    const hold = scene.gate.hold('answer')
    const draining = small.drain()
    await hold.arrived()
    const stopping = small.stop()
    hold.release()
    await stopping
    expect(await draining).toMatchObject({ delivered: 1, requests: 1 })
    expect(await statuses()).toEqual(['delivered', 'pending', 'pending'])
    await nothingIsHeld()
  })

  it('and start again at once: what waits goes out, once', async () => {
    await outbox.start()
    await scene.recordSome(outbox, portal, 3)
    await outbox.stop()
    await outbox.start()
    await scene.segment.waitFor({ accepted: 3 })
    await outbox.stop()
    expect(scene.segment.duplicates()).toEqual([])
    await nothingIsHeld()
  })

  it('after which drain() still works, and leaves nothing running', async () => {
    await outbox.start()
    await outbox.stop()
    await scene.recordSome(outbox, portal)
    expect(await outbox.drain()).toMatchObject({ delivered: 1 })
    await outbox.stop()
    await nothingIsHeld()
  })

  it('while sources rest: no timer is left that would wake it', async () => {
    scene.segment.fault({ kind: 'status', status: 503 }, { times: 1 })
    const resting = new Promise<void>((resolve) => outbox.on('resting', () => resolve()))
    await outbox.start()
    await scene.recordSome(outbox, portal)
    await resting
    await outbox.stop()
    await scene.letTimePass()
    expect(await statuses()).toEqual(['pending'])
    await nothingIsHeld()
  })
})

describe('SIGTERM to a real process', () => {
  const fleet = new Fleet()
  let stage: CrashStage
  let gate: Gate
  beforeEach(async () => {
    stage = await createCrashStage()
    gate = await openGate(stage.segment.url)
  })
  afterEach(async () => {
    await gate.close()
    await stage.end()
  })
  afterAll(() => fleet.end())

  it('with a request in flight: it ends by itself, with nothing in doubt', async () => {
    const process = fleet.take()
    await process.ask('open', { ...stage.setup, segmentUrl: gate.url })
    await process.ask('start', null)
    const hold = gate.hold('answer')
    await process.ask('record', stage.facts(['committed', 'rolledBack', 'committed', 'poison', 'second']))
    await hold.arrived()
    process.signal('SIGTERM')
    hold.release()
    expect(await process.ended).toEqual({ code: 0, signal: null })

    const doubts = await stage.rows(
      `SELECT (SELECT count(*)::int FROM outbox_batch WHERE attempt_started_at IS NOT NULL) AS out,
              (SELECT count(*)::int FROM outbox_batch WHERE outcome IS NULL AND first_ambiguous_at IS NOT NULL) AS doubtful,
              (SELECT count(*)::int FROM source_delivery WHERE lease_owner IS NOT NULL) AS leased`,
    )
    expect(doubts).toEqual([{ out: 0, doubtful: 0, leased: 0 }])
    await stage.outbox({ secretKeys: stage.secretKeys }).drain() // no time has to pass: nothing is held
    await checkAgainstTruth(stage.dataSource, stage.segment, stage.portals)
    expect(stage.segment.duplicates()).toEqual([])
  })

  it('while it does nothing: it ends at once', async () => {
    const process = fleet.take()
    await process.ask('open', stage.setup)
    await process.ask('start', null)
    process.signal('SIGTERM')
    expect(await process.ended).toEqual({ code: 0, signal: null })
  })
})
