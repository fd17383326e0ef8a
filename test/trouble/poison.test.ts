import fc from 'fast-check'
import type { Outbox } from 'synap-outbox'
import type { SegmentMessage } from 'synap-outbox/testing'
import type { FactKind } from '../crash/crash-case'
import { type CrashStage, createCrashStage } from '../crash/crash-stage'
import { checkAgainstTruth } from '../crash/ground-truth'
import { RealProcess } from '../crash/process/real-process'
import { random } from '../support/scene'
import { createTroubleScene, LONG_RESTS, type TroubleScene } from './support/trouble-scene'

const attemptId = (message: SegmentMessage) => (message.properties as { attemptId: string }).attemptId
const isPoison = (message: SegmentMessage) => attemptId(message).startsWith('poison-')
const halvings = (batch: number) => Math.ceil(Math.log2(batch))

describe('poison', () => {
  let scene: TroubleScene
  let outbox: Outbox

  beforeAll(async () => {
    scene = await createTroubleScene()
    outbox = scene.outbox({ dispatcher: LONG_RESTS })
    scene.segment.fault({ kind: 'poison', predicate: isPoison })
  })
  afterAll(() => scene.end())

  /** Delivers one batch with poison at these places, and looks at everything that is promised of it. */
  async function deliver(batch: number, places: readonly number[]): Promise<void> {
    const portal = await scene.connect(outbox)
    const attempts = Array.from(
      { length: batch },
      (_, i) => `${places.includes(i) ? 'poison' : 'good'}-${random()}`,
    )
    const ids = await scene.record(outbox, portal, attempts)
    const report = await outbox.drain()

    const good = attempts.filter((id) => id.startsWith('good-'))
    const poison = batch - good.length
    expect(report).toMatchObject({ delivered: good.length, dead: poison, postponed: 0, uncertain: 0 })
    const dead = {
      status: 'dead',
      reason: 'Segment refused it: HTTP 400: {"success":false,"message":"malformed event"}',
    }
    expect(await scene.messages(portal)).toEqual(
      ids.map((messageId, i) => ({
        messageId,
        ...(places.includes(i) ? dead : { status: 'delivered', reason: null }),
      })),
    )
    const arrived = scene.segment.accepted({ writeKey: portal.writeKey })
    expect(arrived.map(({ message }) => attemptId(message))).toEqual(good)
    expect(scene.segment.duplicates({ writeKey: portal.writeKey })).toEqual([])
    expect(report.requests - 1).toBeLessThanOrEqual(poison * 2 * halvings(batch))
  }

  it.each([1, 2, 3, 4, 5, 8, 100, 499, 500])(
    'alone in a batch of %i: first, in the middle, last',
    async (batch) => {
      for (const place of new Set([0, Math.floor(batch / 2), batch - 1])) await deliver(batch, [place])
    },
  )

  it.each([
    ['two neighbours', 250, [124, 125]],
    ['two at the ends', 250, [0, 249]],
    ['one in each quarter', 250, [10, 80, 140, 200]],
    ['all of them', 16, Array.from({ length: 16 }, (_, i) => i)],
  ])('several: %s', async (_, batch, places) => {
    await deliver(batch, places)
  })

  it('anywhere, in any number', async () => {
    const batches = fc
      .integer({ min: 1, max: 60 })
      .chain((batch) => fc.tuple(fc.constant(batch), fc.uniqueArray(fc.nat(batch - 1), { maxLength: 5 })))
    await fc.assert(
      fc.asyncProperty(batches, ([batch, places]) => deliver(batch, places)),
      { numRuns: 15 },
    )
  })

  it('lets what was recorded meanwhile wait for its turn: the order holds', async () => {
    const portal = await scene.connect(outbox)
    await scene.record(outbox, portal, ['a', 'b', `poison-${random()}`, 'd'])
    const hold = scene.gate.hold('answer')
    const draining = outbox.drain()
    await hold.arrived()
    await scene.record(outbox, portal, ['e'])
    hold.release()
    await draining
    const arrived = scene.segment.accepted({ writeKey: portal.writeKey })
    expect(arrived.map(({ message }) => attemptId(message))).toEqual(['a', 'b', 'd', 'e'])
  })

  it('keeps the half that is not sent yet over a rest', async () => {
    const portal = await scene.connect(outbox)
    await scene.record(outbox, portal, ['f', 'g', `poison-${random()}`, 'h'])
    scene.segment.fault({ kind: 'status', status: 503 }, { writeKey: portal.writeKey, times: 1 })
    await outbox.drain()
    expect((await scene.batches(portal)).map(({ outcome }) => outcome)).toEqual(['split', null, null])
    await scene.letTimePass()
    expect(await outbox.drain()).toMatchObject({ delivered: 3, dead: 1 })
    const arrived = scene.segment.accepted({ writeKey: portal.writeKey })
    expect(arrived.map(({ message }) => attemptId(message))).toEqual(['f', 'g', 'h'])
  })
})

describe('a process that dies in the middle of bisecting', () => {
  let stage: CrashStage
  let process: RealProcess
  beforeAll(async () => {
    stage = await createCrashStage()
    process = await RealProcess.open({ ...stage.setup, dispatcher: {} })
  })
  afterAll(async () => {
    await process.end()
    await stage.end()
  })

  it('leaves to the next one what it knew: one request more, at most', async () => {
    const kindAt = (i: number): FactKind => (i === 77 || i === 201 ? 'poison' : 'committed')
    const kinds = Array.from({ length: 250 }, (_, i) => kindAt(i))
    await process.ask('record', stage.facts(kinds))
    await process.ask('crashAt', { step: 'send:after', nth: 6 })
    await process.ask('start', null)
    await process.ended
    await stage.letTimePass()
    await stage.outbox({ secretKeys: stage.secretKeys }).drain()

    await checkAgainstTruth(stage.dataSource, stage.segment, stage.portals)
    const requests = stage.segment.requests().filter((request) => request.path === '/v1/batch')
    expect(requests.length).toBeLessThanOrEqual(1 + 2 * 2 * halvings(250) + 1)
  })
})
