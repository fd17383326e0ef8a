import fc from 'fast-check'
import { definePlan, InvalidCallError, type Outbox } from 'synap-outbox'
import { z } from 'zod'
import { snapshot } from '../../src/record/snapshot'
import { type Connected, createScene, type Scene } from '../support/scene'

const plan = definePlan(
  {
    Anything: {
      // The plan is told that it is text, so that it lets through whatever a caller may come up with.
      properties: z.strictObject({ key: z.string(), value: z.unknown().meta({ type: 'string' }).optional() }),
      key: (p) => p.key,
    },
  },
  {},
)

let scene: Scene
let outbox: Outbox<typeof plan>
let portal: Connected

beforeAll(async () => {
  scene = await createScene()
  outbox = scene.outbox({ plan: plan as never }) as never
  portal = await scene.connect(outbox as never)
})
afterAll(() => scene.end())

let serial = 0
const record = (value: unknown, own: Outbox<typeof plan> = outbox) =>
  scene.dataSource.transaction(async (tx) => {
    await tx.query('CREATE TABLE IF NOT EXISTS business (id int)')
    await tx.query('INSERT INTO business VALUES (1)')
    return own.track(tx, 'Anything', {
      portalId: portal.portalId,
      userId: 'u',
      properties: { key: `k${serial++}`, value },
    })
  })
const stored = async (messageId: string | undefined) => {
  const [row] = await scene.rows<{
    status: string
    reason: string
    body: { properties: { value: unknown } }
  }>('SELECT status, reason, body FROM outbox_message WHERE message_id = $1', [messageId])
  return row
}

/** Values that JSON, UTF-8, jsonb or the client would choke on or falsify. */
const cyclic: Record<string, unknown> = {}
cyclic.self = cyclic
const deep = (levels: number): unknown => (levels === 0 ? 1 : { d: deep(levels - 1) })
const hostile: [string, () => unknown, RegExp][] = [
  ['a BigInt', () => 10n, /properties\.value is a BigInt/],
  ['a cycle', () => cyclic, /properties\.value\.self refers back to itself/],
  ['NaN', () => Number.NaN, /is NaN/],
  ['an infinity', () => [Number.POSITIVE_INFINITY], /properties\.value\[0\] is Infinity/],
  ['an invalid Date', () => new Date('never'), /invalid Date/],
  ['a Map', () => new Map([[1, 2]]), /is a Map/],
  ['a Buffer in an object', () => ({ b: new Uint8Array(3) }), /binary buffer/],
  [
    'a getter that throws',
    () => ({
      get x() {
        throw new Error('not now')
      },
    }),
    /cannot be read \(not now\)/,
  ],
  [
    'a toJSON that throws',
    () => ({
      toJSON() {
        throw new Error('no JSON')
      },
    }),
    /no JSON/,
  ],
  [
    'a proxy that throws whatever is asked',
    () =>
      new Proxy(
        {},
        {
          get() {
            throw new Error('proxy')
          },
          ownKeys() {
            throw new Error('proxy')
          },
          getPrototypeOf() {
            throw new Error('proxy')
          },
        },
      ),
    /cannot be read/,
  ],
  ['nesting beyond 64 levels', () => deep(5000), /nested deeper/],
  ['an own __proto__', () => JSON.parse('{"__proto__": {"polluted": true}}'), /cannot carry/],
  ['a hostile name of a bad value', () => ({ 'a\0\uD800b': 1n }), /a\uFFFD\uFFFDb is a BigInt/],
  ['40 KB of text', () => 'é'.repeat(20_000), /bytes on the wire, and Segment takes 32000/],
  ['10 MB of text', () => 'x'.repeat(10_000_000), /beyond the 262144 characters/],
  ['a sparse array of four billion holes', () => new Array(4_294_967_295), /beyond the/],
]

describe('a call that cannot be sent', () => {
  it.each(hostile)(
    '%s is diverted with the reason, and the business change stays',
    async (_, make, reason) => {
      const diverted: unknown[] = []
      const forget = outbox.on('diverted', (event) => diverted.push(event))
      const result = await record(make())
      forget()
      expect(result).toMatchObject({
        outcome: 'diverted',
        problems: expect.arrayContaining([expect.stringMatching(reason)]),
      })
      expect(await stored(result.messageId)).toMatchObject({
        status: 'dead',
        reason: expect.stringMatching(reason),
      })
      expect(diverted).toEqual([expect.objectContaining({ messageId: result.messageId, event: 'Anything' })])
    },
  )

  it('does not take the place of the corrected one', async () => {
    const track = (value: unknown) =>
      scene.dataSource.transaction((tx) =>
        outbox.track(tx, 'Anything', {
          portalId: portal.portalId,
          userId: 'u',
          properties: { key: 'same', value },
        }),
      )
    expect((await track(1n)).outcome).toBe('diverted')
    expect((await track(1)).outcome).toBe('recorded')
  })

  const at = () => portal.portalId
  it.each([
    [
      'an event that is not in the plan',
      () => ['Nothing', { portalId: at(), userId: 'u', properties: {} }],
      /not in the tracking plan/,
    ],
    [
      'the name of an inherited member',
      () => ['toString', { portalId: at(), userId: 'u', properties: {} }],
      /not in the tracking plan/,
    ],
    [
      'no identity',
      () => ['Anything', { portalId: at(), properties: { key: 'a', value: 1 } }],
      /neither userId nor anonymousId/,
    ],
    [
      'an empty userId',
      () => ['Anything', { portalId: at(), userId: '', properties: { key: 'a', value: 1 } }],
      /userId is empty/,
    ],
    [
      'a property that is not in the plan',
      () => ['Anything', { portalId: at(), userId: 'u', properties: { key: 'a', value: 1, more: 1 } }],
      /more/,
    ],
    [
      'an empty natural key',
      () => ['Anything', { portalId: at(), userId: 'u', properties: { key: '', value: 1 } }],
      /natural key is empty/,
    ],
    [
      'Segment switched off',
      () => [
        'Anything',
        {
          portalId: at(),
          userId: 'u',
          integrations: { 'Segment.io': false },
          properties: { key: 'a', value: 1 },
        },
      ],
      /Segment\.io off/,
    ],
    [
      'a timestamp that is none',
      () => [
        'Anything',
        { portalId: at(), userId: 'u', timestamp: new Date(Number.NaN), properties: { key: 'a', value: 1 } },
      ],
      /timestamp is/,
    ],
    [
      'a year that PostgreSQL lacks',
      () => [
        'Anything',
        {
          portalId: at(),
          userId: 'u',
          timestamp: new Date(-62_198_755_200_000),
          properties: { key: 'a', value: 1 },
        },
      ],
      /timestamp is not/,
    ],
    ['nothing at all', () => ['Anything', undefined], /portalId is missing/],
  ] as [string, () => [string, unknown], RegExp][])('%s', async (_, make, reason) => {
    const [event, call] = make()
    const result = await scene.dataSource.transaction((tx) => outbox.track(tx, event as never, call as never))
    expect(['diverted', 'no-source']).toContain(result.outcome)
    expect(result.problems?.join('; ')).toMatch(reason)
  })

  it('refuses a trait that the warehouse would discard', async () => {
    const traits = { 'Received At': 'x' }
    const result = await scene.dataSource.transaction((tx) =>
      outbox.identify(tx, { portalId: portal.portalId, userId: 'u', traits }),
    )
    expect(result).toMatchObject({ outcome: 'diverted', problems: [expect.stringContaining('received_at')] })
  })

  it('throws with invalid: "throw", naming every problem', async () => {
    const strict = scene.outbox({ plan: plan as never, invalid: 'throw' }) as never as Outbox<typeof plan>
    await expect(record([1n, Number.NaN], strict)).rejects.toThrow(InvalidCallError)
  })
})

describe('a call that can be sent', () => {
  it('is copied when it is made: what happens to it later changes nothing', async () => {
    const value = { list: [1] }
    const result = await scene.dataSource.transaction((tx) => {
      const recording = outbox.track(tx, 'Anything', {
        portalId: portal.portalId,
        userId: 'u',
        properties: { key: 'copied', value },
      })
      value.list.push(2)
      return recording
    })
    expect((await stored(result.messageId))?.body.properties.value).toEqual({ list: [1] })
  })

  it.each([
    ['undefined members', { a: undefined, b: 1 }, { b: 1 }],
    ['Dates', { at: new Date('2026-01-02T03:04:05.678Z') }, { at: '2026-01-02T03:04:05.678Z' }],
    ['U+0000', { text: 'a\0b' }, { text: 'a\uFFFDb' }],
    ['lone surrogates', { text: '\uD800x', '\uDC00': 1 }, { text: '\uFFFDx', '\uFFFD': 1 }],
    ['toJSON', { url: new URL('https://synap.example/') }, { url: 'https://synap.example/' }],
    [
      'numbers at the ends of their range',
      [5e-324, 1.7976931348623157e308, -0],
      [5e-324, 1.7976931348623157e308, 0],
    ],
  ])('arrives by the rule for %s', async (_, value, expected) => {
    const result = await record(value)
    expect(result.outcome).toBe('recorded')
    expect((await stored(result.messageId))?.body.properties.value).toEqual(expected)
  })

  it('whatever JavaScript value: the business change stays, and what arrives is what was recorded', async () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
      withNullPrototype: true,
      withObjectString: true,
      withUnicodeString: true,
    } as never)
    const results = new Map<string, unknown>()
    await fc.assert(
      fc.asyncProperty(anything, async (value) => {
        const expected = snapshot({ key: '', value })
        const { outcome, messageId } = await record(value)
        const sendable = expected.problems.length === 0
        expect(outcome).toBe(sendable ? 'recorded' : 'diverted')
        if (sendable) results.set(messageId as string, (expected.value as { value: unknown }).value)
      }),
      { numRuns: 500, examples: [[{ '\0': 1n }], ['\0\uDC00'], [{ ['x'.repeat(100_000)]: Number.NaN }]] },
    )
    await outbox.drain()
    const arrived = new Map(
      scene.segment
        .accepted()
        .map(({ messageId, message }) => [
          messageId,
          (message as never as { properties: { value: unknown } }).properties.value,
        ]),
    )
    for (const [id, value] of results) expect([id, arrived.get(id)]).toEqual([id, value])
  })
})
