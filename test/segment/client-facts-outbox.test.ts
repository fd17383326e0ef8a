import type { Outbox, Recorded } from 'synap-outbox'
import type { LocalSegment } from 'synap-outbox/testing'
import { startLocalSegment } from 'synap-outbox/testing'
import type { EntityManager } from 'typeorm'
import { beganTest, type Connected, createScene, random, type Scene } from '../support/scene'
import { officialClients, report } from './official-client'

/** What the official client loses or falsifies before anything is on the wire, and what recording makes of it. */
let scene: Scene
let outbox: Outbox
let portal: Connected
let segment: LocalSegment
const official = officialClients(() => segment.url)

beforeAll(async () => {
  scene = await createScene()
})
beforeEach(async () => {
  outbox = scene.outbox({ dispatcher: { batchMessages: 20, backoff: { initialMs: 1, maxMs: 5 } } })
  portal = await scene.connect(outbox)
  // The client alone talks to a Segment of its own.
  segment = await startLocalSegment({ writeKeys: ['key'] })
})
afterEach(async () => {
  await official.end()
  await segment.close()
  await scene.segment.clearFaults()
})
afterAll(() => scene.end())

const call = { userId: 'user-1', event: 'Began Test', messageId: 'm1' }
const accepted = () => scene.segment.accepted({ writeKey: portal.writeKey })
const requests = () =>
  scene.segment
    .requests()
    .filter((request) => request.writeKey === portal.writeKey && request.method === 'POST')
const inTransaction = <T>(work: (tx: EntityManager) => Promise<T>) => scene.dataSource.transaction(work)
/** Records a Began Test that may be wrong in any way. */
const recordTrack = (overrides: object) =>
  inTransaction((tx) =>
    outbox.track(tx, 'Began Test', {
      portalId: portal.portalId,
      userId: 'user-1',
      properties: beganTest(),
      ...overrides,
    } as never),
  )

/** Stored dead, with a reason that says so. */
function diverted(recorded: Recorded, why: string): void {
  expect(recorded.outcome).toBe('diverted')
  expect(recorded.problems?.join('; ')).toContain(why)
}

const circular: Record<string, unknown> = {}
circular.self = circular
const throwing = {
  toJSON() {
    throw new Error('not today')
  },
}

describe('what JSON has no form for', () => {
  const cases: [string, unknown, string][] = [
    ['a BigInt', 1n, 'is a BigInt'],
    ['a cycle', circular, 'refers back to itself'],
    ['a toJSON that throws', throwing, 'cannot be read (not today)'],
  ]

  it.each(cases)('official: %s is reported as delivered, and never sent', async (_, value) => {
    // The empty batch that it leaves behind goes with its flush timer.
    const client = official.create({ flushAt: 1, flushInterval: 1 })
    const reported = report(client)
    client.track({ ...call, properties: { value } })
    expect(await reported).toBe('delivered')
    expect(segment.requests()).toEqual([])
  })

  it.each(cases)(
    'ours: %s is stored dead with the reason, its neighbours are sent',
    async (_, value, why) => {
      await recordTrack({})
      diverted(await recordTrack({ properties: { ...beganTest(), assignmentId: value } }), why)
      await recordTrack({})
      await outbox.drain()
      expect(accepted()).toHaveLength(2)
    },
  )
})

describe('Segment switched off for a call', () => {
  it('ours: it is stored dead with the reason', async () => {
    diverted(await recordTrack({ integrations: { 'Segment.io': false } }), 'switches Segment.io off')
  })

  it('ours: and there is no option that would disable sending', () => {
    expect(() => scene.outbox({ segment: { disable: true } as never })).toThrow('segment.disable')
  })
})

describe('the size guard', () => {
  const text = 'x'.repeat(100_000)

  it('official: lets a message of 600 KB out, and loses what shares the batch with it', async () => {
    const client = official.create()
    const reported = report(client)
    client.track(call)
    client.track({ ...call, messageId: 'm2', properties: { text: text.repeat(6) } })
    await client.flush()
    expect(await reported).toBe('failed')
    expect(segment.requests()).toMatchObject([{ messageIds: ['m1', 'm2'], status: 400 }])
    expect(segment.requests()[0]?.bytes).toBeGreaterThan(600_000)
    expect(segment.accepted()).toEqual([])
  })

  it('ours: what is too large is stored dead, and batches stay below the limit in true bytes', async () => {
    diverted(await recordTrack({ context: { text } }), 'bytes on the wire')
    // 28 messages of about 30 KB, of characters that are three bytes each.
    const context = { text: '語'.repeat(10_000) }
    await inTransaction((tx) =>
      outbox.record(
        tx,
        Array.from({ length: 28 }, () => ({
          type: 'identify' as const,
          portalId: portal.portalId,
          userId: 'user-1',
          traits: {},
          context,
        })),
      ),
    )
    expect(await outbox.drain()).toMatchObject({ delivered: 28, dead: 0 })
    const bytes = requests().map((request) => request.bytes)
    expect(Math.min(...bytes)).toBeGreaterThan(300_000)
    expect(Math.max(...bytes)).toBeLessThan(460_000)
  })
})

describe('a listener that throws', () => {
  it('ours: is reported, and neither sends again nor changes the outcome', async () => {
    const reported: unknown[] = []
    outbox.on('error', ({ during }) => reported.push(during))
    for (const event of ['attempt', 'settled'] as const) {
      outbox.on(event, () => {
        throw new Error('boom')
      })
    }
    await recordTrack({})
    expect(await outbox.drain()).toMatchObject({ delivered: 1, requests: 1 })
    expect(reported).toEqual(['listener', 'listener'])
    expect(requests()).toHaveLength(1)
  })
})

describe('a connection that turns out stale', () => {
  it('ours: the batch is sent again, under the same ids', async () => {
    await recordTrack({})
    await outbox.drain()
    scene.segment.fault([{ kind: 'reset-after-accept' }], { writeKey: portal.writeKey })
    await recordTrack({})
    await outbox.start()
    await scene.segment.waitFor(() => requests().length === 3)
    await outbox.stop()
    const [, second, third] = requests()
    expect(third?.messageIds).toEqual(second?.messageIds)
    expect(accepted()).toHaveLength(2)
  })
})

describe('changing what was given', () => {
  it('ours: changes nothing once it is recorded', async () => {
    const properties = beganTest('attempt-before')
    await inTransaction(async (tx) => {
      const recorded = outbox.track(tx, 'Began Test', {
        portalId: portal.portalId,
        userId: 'user-1',
        properties,
      })
      properties.attemptId = 'attempt-after'
      await recorded
    })
    await outbox.drain()
    expect(accepted()).toMatchObject([{ message: { properties: { attemptId: 'attempt-before' } } }])
  })
})

describe('calls that Segment drops after its 200', () => {
  const anything = { userId: 'user-1', messageId: 'm1' }

  it.each<[string, (client: ReturnType<typeof official.create>) => void]>([
    ["userId: ''", (client) => client.track({ ...call, userId: '' })],
    ["event: ''", (client) => client.track({ ...call, event: '' })],
    ['group without groupId', (client) => client.group({ ...anything } as never)],
  ])('official: %s is reported as delivered, and dropped', async (_, make) => {
    const client = official.create({ flushAt: 1 })
    const reported = report(client)
    make(client)
    expect(await reported).toBe('delivered')
    expect(segment.accepted()).toEqual([])
    expect(segment.discarded()).toHaveLength(1)
  })

  it('official: an invalid Date is sent as null', async () => {
    const client = official.create({ flushAt: 1 })
    const reported = report(client)
    client.track({ ...call, timestamp: new Date('yesterday') })
    expect(await reported).toBe('delivered')
    expect(segment.accepted()).toMatchObject([{ message: { timestamp: null } }])
  })

  it.each<[string, object, string]>([
    ["userId: ''", { userId: '' }, 'userId is empty'],
    ['an invalid Date', { timestamp: new Date('yesterday') }, 'is an invalid Date'],
  ])('ours: %s is stored dead with the reason', async (_, overrides, why) => {
    diverted(await recordTrack(overrides), why)
    await outbox.drain()
    expect(requests()).toEqual([])
  })

  it("ours: event: '' and a group without groupId are stored dead with the reason", async () => {
    const { portalId } = portal
    await inTransaction(async (tx) => {
      const nameless = { portalId, userId: 'user-1', properties: beganTest() }
      diverted(await outbox.track(tx, '' as 'Began Test', nameless), 'event is empty')
      const nowhere = { portalId, userId: 'user-1', traits: { kind: 'portal', name: 'Portal' } }
      diverted(await outbox.group(tx, nowhere as never), 'groupId is missing')
    })
    await outbox.drain()
    expect(requests()).toEqual([])
  })
})

describe('requests in flight', () => {
  it('official: as many as there are batches', async () => {
    segment.fault({ kind: 'timeout' })
    const client = official.create({ flushAt: 1 })
    for (let n = 0; n < 50; n++) client.track({ ...call, messageId: `m${n}` })
    await segment.waitFor({ requests: 50 })
    expect(segment.requests().filter(({ status }) => status === undefined)).toHaveLength(50)
  })

  it('ours: one for a source; what waits, waits in the database', async () => {
    let open = 0
    scene.segment.fault(
      { kind: 'delay', ms: 1 },
      {
        writeKey: portal.writeKey,
        when: () => {
          open = Math.max(open, requests().filter(({ status }) => status === undefined).length)
          return true
        },
      },
    )
    for (let n = 0; n < 5; n++) {
      await inTransaction((tx) =>
        outbox.record(
          tx,
          Array.from({ length: 20 }, () => ({
            type: 'track' as const,
            event: 'Began Test' as const,
            portalId: portal.portalId,
            userId: 'user-1',
            properties: beganTest(random()),
          })),
        ),
      )
    }
    expect(await outbox.drain()).toMatchObject({ delivered: 100, requests: 5 })
    expect(open).toBe(1)
  })
})

describe('after it was closed', () => {
  it('official: calls vanish', async () => {
    const client = official.create()
    await client.closeAndFlush()
    const closed = new Promise((resolve) => client.on('call_after_close', resolve))
    client.track(call)
    expect(await closed).toMatchObject({ messageId: 'm1' })
    expect(segment.requests()).toEqual([])
  })

  it('ours: calls are recorded, and sent by whoever is started next', async () => {
    await outbox.start()
    await outbox.stop()
    await recordTrack({})
    expect(accepted()).toEqual([])
    expect(await scene.outbox().drain()).toMatchObject({ delivered: 1 })
    expect(accepted()).toHaveLength(1)
  })
})
