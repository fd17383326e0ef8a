import type { Outbox } from 'synap-outbox'
import type { RequestFault } from 'synap-outbox/testing'
import type { Connected } from '../support/scene'
import { createTroubleScene, LONG_RESTS, type TroubleScene } from './support/trouble-scene'

let scene: TroubleScene
let outbox: Outbox
let portal: Connected

beforeAll(async () => {
  scene = await createTroubleScene()
  outbox = scene.outbox({ dispatcher: LONG_RESTS })
})
beforeEach(async () => {
  portal = await scene.connect(outbox)
})
afterEach(async () => {
  await scene.segment.clearFaults()
  await scene.letTimePass()
})
afterAll(() => scene.end())

const status = (code: number): RequestFault => ({ kind: 'status', status: code })
const lostAnswer: RequestFault = { kind: 'reset-after-accept' }

/** One attempt, of which the outcome is as the fault has it. */
async function attempt(fault?: RequestFault): Promise<void> {
  if (fault) scene.segment.fault(fault, { times: 1, writeKey: portal.writeKey })
  await scene.letTimePass()
  await outbox.drain()
}

/** As if the batch's first ambiguity was so long ago. */
async function backdate(hours: number): Promise<void> {
  await scene.rows(
    `UPDATE outbox_batch SET first_ambiguous_at = first_ambiguous_at - $2 * interval '1 hour'
     WHERE source_id = $1 AND outcome IS NULL`,
    [portal.source.sourceId, hours],
  )
}

const requests = () =>
  scene.segment
    .requests()
    .filter((request) => request.writeKey === portal.writeKey && request.path === '/v1/batch')

describe('the window starts before the request goes out', () => {
  it('is in the database, committed, while Segment has not heard of the request', async () => {
    const ids = await scene.recordSome(outbox, portal, 3)
    const hold = scene.gate.hold('request')
    const draining = outbox.drain()
    await hold.arrived()
    expect(await scene.batches(portal)).toMatchObject([
      { messageIds: ids, out: true, outcome: null, ambiguousAt: expect.any(Date), attempts: [] },
    ])
    expect(scene.segment.accepted({ writeKey: portal.writeKey })).toEqual([])
    hold.release()
    await draining
    expect(await scene.batches(portal)).toMatchObject([{ out: false, outcome: 'delivered' }])
  })

  it('is in the database before a second attempt too, and keeps the moment of the first', async () => {
    await scene.recordSome(outbox, portal)
    await attempt(status(500))
    const [first] = await scene.batches(portal)
    expect(first).toMatchObject({ out: false, ambiguousAt: expect.any(Date) })
    const hold = scene.gate.hold('request')
    await scene.letTimePass()
    const draining = outbox.drain()
    await hold.arrived()
    expect(await scene.batches(portal)).toMatchObject([{ out: true, ambiguousAt: first?.ambiguousAt }])
    hold.release()
    await draining
  })
})

describe('outcomes that are known not to be accepted do not start the window', () => {
  it.each([401, 403, 404, 429])('HTTP %i', async (code) => {
    await scene.recordSome(outbox, portal)
    await attempt(status(code))
    expect(await scene.batches(portal)).toMatchObject([{ out: false, outcome: null, ambiguousAt: null }])
  })

  it('a refused connection', async () => {
    const direct = scene.outbox({ segment: { host: scene.segment.url }, dispatcher: LONG_RESTS })
    await scene.recordSome(direct, portal)
    const outage = scene.segment.fault({ kind: 'refuse-connections' })
    await direct.drain()
    const [batch] = await scene.batches(portal)
    expect(batch).toMatchObject({ outcome: null, ambiguousAt: null, attempts: [{ verdict: 'unreachable' }] })
    await outage.clear()
  })

  it.each([400, 413])('HTTP %i: neither for the batch nor for its halves', async (code) => {
    await scene.recordSome(outbox, portal, 2)
    scene.segment.fault([status(code), status(429)], { writeKey: portal.writeKey })
    await outbox.drain()
    expect((await scene.batches(portal)).map(({ ambiguousAt }) => ambiguousAt)).toEqual([null, null, null])
  })
})

describe('outcomes that nobody can know start it', () => {
  it.each<[string, RequestFault]>([
    ['HTTP 500', status(500)],
    ['HTTP 408', status(408)],
    ['a reset after Segment accepted', lostAnswer],
    ['a reset before Segment read', { kind: 'reset-before-read' }],
    ['an answer cut short', { kind: 'truncated-body' }],
    ['a 200 that says failure', { kind: 'success-false' }],
    ['a 200 from a captive portal', { kind: 'garbage-body' }],
    ['a redirect', { kind: 'redirect', status: 307, location: 'http://127.0.0.1:9/' }],
  ])('%s', async (_, fault) => {
    const direct = scene.outbox({ segment: { host: scene.segment.url }, dispatcher: LONG_RESTS })
    await scene.recordSome(direct, portal)
    scene.segment.fault(fault, { times: 1, writeKey: portal.writeKey })
    await direct.drain()
    expect(await scene.batches(portal)).toMatchObject([
      { out: false, outcome: null, ambiguousAt: expect.any(Date), attempts: [{ verdict: 'ambiguous' }] },
    ])
  })

  it.each([401, 429])('and a later HTTP %i does not take that back', async (code) => {
    await scene.recordSome(outbox, portal)
    await attempt(lostAnswer)
    const [before] = await scene.batches(portal)
    await attempt(status(code))
    expect(await scene.batches(portal)).toMatchObject([{ ambiguousAt: before?.ambiguousAt, outcome: null }])
  })

  it('and the halves of a batch that is refused later inherit it', async () => {
    await scene.recordSome(outbox, portal, 2)
    await attempt(lostAnswer)
    const [before] = await scene.batches(portal)
    scene.segment.fault([status(400), status(429)], { writeKey: portal.writeKey })
    await scene.letTimePass()
    await outbox.drain()
    const at = before?.ambiguousAt
    expect(await scene.batches(portal)).toMatchObject([
      { outcome: 'split', ambiguousAt: at },
      { outcome: null, ambiguousAt: at },
      { outcome: null, ambiguousAt: at },
    ])
  })
})

describe('when the window is over', () => {
  it('parks each message of the batch with a reason, never sends it again, and goes on with the rest', async () => {
    const parked = await scene.recordSome(outbox, portal, 3)
    await attempt(lostAnswer)
    const rest = await scene.recordSome(outbox, portal, 2)
    await backdate(24)
    await scene.letTimePass()
    expect(await outbox.drain()).toMatchObject({ uncertain: 3, delivered: 2, requests: 1 })

    const reason = expect.stringContaining('the dedup window of 23 h is over')
    expect(await scene.messages(portal)).toEqual([
      ...parked.map((messageId) => ({ messageId, status: 'uncertain', reason })),
      ...rest.map((messageId) => ({ messageId, status: 'delivered', reason: null })),
    ])
    expect(requests().map((request) => request.messageIds)).toEqual([parked, rest])
    await scene.letTimePass()
    await outbox.drain()
    expect(requests()).toHaveLength(2)
  })

  it('parks what a dead process had out, too', async () => {
    const parked = await scene.recordSome(outbox, portal, 2)
    await attempt(lostAnswer)
    // What a process leaves behind that dies in its second attempt.
    await scene.rows(
      `UPDATE outbox_batch SET attempt_started_at = now(), first_ambiguous_at = now() - interval '24 hours'
       WHERE source_id = $1`,
      [portal.source.sourceId],
    )
    await scene.letTimePass()
    expect(await outbox.drain()).toMatchObject({ uncertain: 2, requests: 0 })
    expect((await scene.messages(portal)).map(({ messageId, status }) => [messageId, status])).toEqual(
      parked.map((messageId) => [messageId, 'uncertain']),
    )
    const [batch] = await scene.batches(portal)
    expect(batch?.attempts.map((each) => each.verdict)).toEqual(['ambiguous', 'lost'])
  })

  it('parks a half of a refused batch whose first attempt may have been accepted', async () => {
    await scene.recordSome(outbox, portal, 2)
    await attempt(lostAnswer)
    scene.segment.fault([status(400), status(429)], { writeKey: portal.writeKey })
    await scene.letTimePass()
    await outbox.drain()
    await backdate(24)
    await scene.letTimePass()
    expect(await outbox.drain()).toMatchObject({ uncertain: 2, requests: 0 })
  })

  it('sends again while it lasts, under the same ids', async () => {
    const ids = await scene.recordSome(outbox, portal, 2)
    await attempt(lostAnswer)
    await backdate(22)
    await attempt()
    expect(requests().map((request) => request.messageIds)).toEqual([ids, ids])
    expect(scene.segment.duplicates({ writeKey: portal.writeKey })).toHaveLength(2)
    expect((await scene.messages(portal)).map(({ status }) => status)).toEqual(['delivered', 'delivered'])
  })

  it('knows no end for a batch that was never in doubt', async () => {
    await scene.recordSome(outbox, portal)
    await attempt(status(429))
    await scene.rows(
      `UPDATE outbox_batch SET created_at = created_at - interval '30 days' WHERE source_id = $1`,
      [portal.source.sourceId],
    )
    await attempt()
    expect((await scene.messages(portal)).map(({ status }) => status)).toEqual(['delivered'])
  })
})
