import type { Outbox } from 'synap-outbox'
import { beganTest, type Connected, random } from '../support/scene'
import { createTroubleScene, LONG_RESTS, type TroubleScene } from './support/trouble-scene'

const HOUR = 3_600_000

let scene: TroubleScene
let outbox: Outbox
let portal: Connected

beforeEach(async () => {
  scene = await createTroubleScene()
  outbox = scene.outbox({ dispatcher: LONG_RESTS })
  portal = await scene.connect(outbox)
})
afterEach(() => scene.end())

/** Requests that carried events, in order of arrival, by write key. */
const sent = (writeKey = portal.writeKey) =>
  scene.segment.requests().filter((request) => request.path === '/v1/batch' && request.writeKey === writeKey)

/** From now on Segment refuses the key that the portal has saved. */
const refuse = (writeKey = portal.writeKey, times?: number) =>
  scene.segment.fault({ kind: 'status', status: 401 }, { writeKey, times })

const newKey = () => {
  const writeKey = random(16)
  scene.segment.addWriteKey(writeKey)
  return writeKey
}

describe('a refused write key', () => {
  it('slows the source down to minutes, says why, and loses nothing', async () => {
    const minutes = { ...LONG_RESTS.backoff, initialMs: 1, maxMs: 1, refusedMs: HOUR / 12 }
    const patient = scene.outbox({ dispatcher: { backoff: minutes } })
    await scene.recordSome(patient, portal, 3)
    refuse()
    expect(await patient.drain()).toMatchObject({ requests: 1, postponed: 1, dead: 0 })
    const { restsForMs, failures, lastError } = await scene.delivery(portal)
    expect(restsForMs).toBeGreaterThan(HOUR / 12 - 30_000)
    expect({ failures, lastError }).toMatchObject({
      failures: 1,
      lastError: expect.stringContaining('HTTP 401'),
    })
    expect(await patient.drain()).toMatchObject({ requests: 0 })
    expect((await scene.messages(portal)).map(({ status }) => status)).toEqual([
      'pending',
      'pending',
      'pending',
    ])
  })

  it('and a new one saved: what waits goes out at once, under the same ids', async () => {
    const ids = await scene.recordSome(outbox, portal, 3)
    refuse()
    await outbox.start()
    await scene.segment.waitFor(() => sent().length === 1)
    const writeKey = newKey()
    await outbox.sources.saveWriteKey(portal.source.sourceId, writeKey)
    await scene.segment.waitFor({ accepted: 3 })
    await outbox.stop()
    expect(sent().map(({ messageIds }) => messageIds)).toEqual([ids])
    expect(sent(writeKey).map(({ messageIds }) => messageIds)).toEqual([ids])
    expect(await scene.delivery(portal)).toMatchObject({ failures: 0, lastError: null })
  })

  it('and a new one saved while a request with the old one is out: the refusal does not slow down the new one', async () => {
    const ids = await scene.recordSome(outbox, portal, 3)
    refuse()
    const hold = scene.gate.hold('answer', { writeKey: portal.writeKey })
    await outbox.start()
    await hold.arrived()
    const writeKey = newKey()
    await outbox.sources.saveWriteKey(portal.source.sourceId, writeKey)
    hold.release()
    await scene.segment.waitFor({ accepted: 3 })
    await outbox.stop()
    expect(sent(writeKey).map(({ messageIds }) => messageIds)).toEqual([ids])
  })

  it('is used from the next request on, also in the middle of a turn', async () => {
    const small = scene.outbox({ dispatcher: { ...LONG_RESTS, batchMessages: 1 } })
    await scene.recordSome(small, portal, 3)
    const hold = scene.gate.hold('answer')
    const draining = small.drain()
    await hold.arrived()
    const writeKey = newKey()
    await small.sources.saveWriteKey(portal.source.sourceId, writeKey)
    hold.release()
    expect(await draining).toMatchObject({ delivered: 3 })
    expect([sent().length, sent(writeKey).length]).toEqual([1, 2])
  })

  it('that does not decrypt: the source rests, its messages wait, and a saved key mends it', async () => {
    await scene.recordSome(outbox, portal)
    const otherSecrets = {
      secretKeys: `k2:${Buffer.alloc(32, 1).toString('base64')}`,
      dispatcher: LONG_RESTS,
    }
    const stranger = scene.outbox(otherSecrets)
    expect(await stranger.drain()).toMatchObject({ requests: 0, postponed: 1 })
    expect(await scene.delivery(portal)).toMatchObject({
      failures: 1,
      lastError: expect.stringContaining('"k1"'),
    })
    await stranger.sources.saveWriteKey(portal.source.sourceId, newKey())
    expect(await stranger.drain()).toMatchObject({ delivered: 1 })
  })
})

describe('throttling', () => {
  it('is answered with rest for as long as Retry-After asks, on the database’s clock', async () => {
    const quick = scene.outbox({ dispatcher: { backoff: { initialMs: 1, maxMs: 1000, refusedMs: 1 } } })
    await scene.recordSome(quick, portal)
    const headers = { 'retry-after': '600' }
    scene.segment.fault({ kind: 'status', status: 429, headers }, { times: 1 })
    expect(await quick.drain()).toMatchObject({ requests: 1, postponed: 1 })
    const { restsForMs } = await scene.delivery(portal)
    expect(restsForMs).toBeGreaterThan(600_000 - 30_000)
    expect(restsForMs).toBeLessThan(600_000 + 2000)
    expect(await quick.drain()).toMatchObject({ requests: 0 })
    await scene.letTimePass()
    expect(await quick.drain()).toMatchObject({ delivered: 1 })
  })

  it('doubles its ceiling with each failure, and starts again after a success', async () => {
    await scene.recordSome(outbox, portal)
    scene.segment.fault({ kind: 'status', status: 429 }, { times: 3 })
    const failures: number[] = []
    for (let i = 0; i < 4; i++) {
      await outbox.drain()
      failures.push((await scene.delivery(portal)).failures)
      await scene.letTimePass()
    }
    expect(failures).toEqual([1, 2, 3, 0])
  })
})

describe('an outage', () => {
  it('costs one request for each try, and ends with one probe and then full speed', async () => {
    const direct = scene.outbox({
      segment: { host: scene.segment.url },
      dispatcher: { ...LONG_RESTS, batchMessages: 10 },
    })
    await scene.recordSome(direct, portal, 50)
    const outage = scene.segment.fault({ kind: 'refuse-connections' })
    for (let i = 0; i < 3; i++) {
      expect(await direct.drain()).toMatchObject({ requests: 1, postponed: 1 })
      expect(await direct.drain()).toMatchObject({ requests: 0 })
      await scene.letTimePass()
    }
    await outage.clear()
    expect(await direct.drain()).toMatchObject({ requests: 5, delivered: 50, postponed: 0 })
    const [probe] = sent()
    const [batch] = await scene.batches(portal)
    expect(probe?.messageIds).toEqual(batch?.messageIds) // the batch that could not be sent, and no other
    expect(sent()).toHaveLength(5)
  })

  it('ends by itself: nobody has to commit or to press anything', async () => {
    const direct = scene.outbox({ segment: { host: scene.segment.url } })
    const outage = scene.segment.fault({ kind: 'refuse-connections' })
    const failed = new Promise<void>((resolve) =>
      direct.on('resting', ({ failures }) => failures > 2 && resolve()),
    )
    await scene.recordSome(direct, portal)
    await direct.start()
    await failed
    await outage.clear()
    await scene.segment.waitFor({ accepted: 1 })
    await direct.stop()
  })
})

describe('what people decide', () => {
  it('pausing holds what waits and what is recorded, and resuming sends it in order', async () => {
    const before = await scene.recordSome(outbox, portal, 2)
    await outbox.sources.pause(portal.source.sourceId)
    const after = await scene.recordSome(outbox, portal, 2)
    expect(await outbox.drain()).toMatchObject({ requests: 0 })
    await outbox.sources.resume(portal.source.sourceId)
    await outbox.drain()
    expect(sent().map(({ messageIds }) => messageIds)).toEqual([[...before, ...after]])
  })

  it('pausing in the middle of a turn: no further request goes out', async () => {
    const small = scene.outbox({ dispatcher: { ...LONG_RESTS, batchMessages: 1 } })
    await scene.recordSome(small, portal, 3)
    const hold = scene.gate.hold('answer')
    const draining = small.drain()
    await hold.arrived()
    await small.sources.pause(portal.source.sourceId)
    hold.release()
    expect(await draining).toMatchObject({ delivered: 1, requests: 1 })
    await small.sources.resume(portal.source.sourceId)
    expect(await small.drain()).toMatchObject({ delivered: 2 })
  })

  it('pausing with a batch in doubt: it waits too, and is settled after resuming', async () => {
    const ids = await scene.recordSome(outbox, portal, 2)
    scene.segment.fault({ kind: 'reset-after-accept' }, { times: 1 })
    await outbox.drain()
    await outbox.sources.pause(portal.source.sourceId)
    await scene.letTimePass()
    expect(await outbox.drain()).toMatchObject({ requests: 0 })
    await outbox.sources.resume(portal.source.sourceId)
    expect(await outbox.drain()).toMatchObject({ requests: 1, delivered: 2 })
    expect(sent().map(({ messageIds }) => messageIds)).toEqual([ids, ids])
  })

  it('disabling stops recording, and holds what waits', async () => {
    const before = await scene.recordSome(outbox, portal, 2)
    await outbox.sources.disable(portal.source.sourceId)
    const result = await scene.dataSource.transaction((tx) =>
      outbox.track(tx, 'Began Test', { portalId: portal.portalId, userId: 'u', properties: beganTest() }),
    )
    expect(result).toEqual({ outcome: 'no-source' })
    expect(await outbox.drain()).toMatchObject({ requests: 0 })
    await outbox.sources.resume(portal.source.sourceId)
    await outbox.drain()
    expect(sent().map(({ messageIds }) => messageIds)).toEqual([before])
  })
})

describe('one source never delays another', () => {
  it('not by failing: each kind of failure costs its source alone', async () => {
    const failing = [401, 429, 500, 503]
    const kinds = [
      ...failing.map((status) => ({ kind: 'status', status }) as const),
      { kind: 'reset-before-read' } as const,
    ]
    for (const fault of kinds) {
      const broken = await scene.connect(outbox)
      scene.segment.fault(fault, { writeKey: broken.writeKey })
      await scene.recordSome(outbox, broken, 10)
    }
    await scene.recordSome(outbox, portal, 10)
    expect(await outbox.drain()).toMatchObject({ delivered: 10, postponed: kinds.length })
  })

  it('not by being slow: while its request is out, others are served', async () => {
    const slow = portal
    const others = await Promise.all([1, 2, 3, 4, 5].map(() => scene.connect(outbox)))
    const hold = scene.gate.hold('request', { writeKey: slow.writeKey })
    await scene.recordSome(outbox, slow, 5)
    await outbox.start()
    await hold.arrived()
    for (const other of others) await scene.recordSome(outbox, other, 2)
    await scene.segment.waitFor({ accepted: 10 })
    expect(sent(slow.writeKey)).toEqual([])
    hold.release()
    await scene.segment.waitFor({ accepted: 15 })
    await outbox.stop()
  })

  it('not by being flooded: whoever waits gets a turn after one of the flood’s', async () => {
    const flooded = portal
    const one = { concurrency: 1, batchMessages: 5, turnMs: 1, giveWay: 0 }
    const narrow = scene.outbox({ dispatcher: { ...LONG_RESTS, ...one } })
    const others = await Promise.all([1, 2, 3].map(() => scene.connect(narrow)))
    await scene.recordSome(narrow, flooded, 100)
    const hold = scene.gate.hold('answer')
    const draining = narrow.drain()
    await hold.arrived() // the flood's first turn has begun
    for (const other of others) await scene.recordSome(narrow, other, 1)
    hold.release()
    expect(await draining).toMatchObject({ delivered: 103 })
    const order = scene.segment.requests().filter(({ path }) => path === '/v1/batch')
    const places = others.map(({ writeKey }) => order.findIndex((request) => request.writeKey === writeKey))
    // A turn of the flood is one batch here: it began the first, and then each of the others came before its next.
    expect(Math.max(...places)).toBeLessThanOrEqual(3)
    expect(order).toHaveLength(20 + 3)
  })

  it('not by having a place of its own: it goes on where others are free', async () => {
    const wide = scene.outbox({
      dispatcher: { ...LONG_RESTS, concurrency: 2, batchMessages: 5, turnMs: 1 },
    })
    await scene.recordSome(wide, portal, 18)
    expect(await wide.drain()).toMatchObject({ turns: 1, requests: 4, delivered: 18 })
  })

  it('not by waiting: sources that rest or are paused cost no turn', async () => {
    const narrow = scene.outbox({ dispatcher: { ...LONG_RESTS, concurrency: 1 } })
    for (let i = 0; i < 5; i++) {
      const held = await scene.connect(narrow)
      await scene.recordSome(narrow, held)
      if (i % 2 === 0) await narrow.sources.pause(held.source.sourceId)
      else
        await scene.rows(`UPDATE source_delivery SET resume_at = 'infinity' WHERE source_id = $1`, [
          held.source.sourceId,
        ])
    }
    await scene.recordSome(narrow, portal)
    expect(await narrow.drain()).toMatchObject({ turns: 1, requests: 1, delivered: 1 })
  })
})
