import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { abridge } from '../../src/segment/abridge'
import { layOutEach } from '../../src/segment/client-layout'
import { layOut } from '../../src/segment/lay-out'
import type { OutgoingMessage } from '../../src/segment/layout'
import { bodyOf, oneOfEach, track, tracks } from './messages'

/** The client lays out two messages of each kind, and the rest follows: as if it had laid out every one. */
const options = { writeKey: 'key', host: 'http://127.0.0.1:1', timeoutMs: 60_000 }

interface Request {
  batch: { messageId: string; type: string }[]
  writeKey: string
  sentAt: string
}

/** The request that the client makes of all of them. */
async function byClient(messages: readonly OutgoingMessage[]) {
  const laidOut = await layOutEach(messages, options)
  if (laidOut.kind !== 'request') throw new Error(`not laid out: ${JSON.stringify(laidOut)}`)
  return { ...laidOut, body: JSON.parse(laidOut.body) as Request }
}

async function ours(messages: readonly OutgoingMessage[]) {
  const laidOut = await layOut(messages, options)
  if (laidOut.kind !== 'request') throw new Error(`not laid out: ${JSON.stringify(laidOut)}`)
  return { ...laidOut, body: JSON.parse(Buffer.from(laidOut.body).toString()) as Request }
}

/** But for the moment of sending, which each request has its own of. */
const sentAt = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)

async function expectSame(messages: readonly OutgoingMessage[]) {
  const { body, ...request } = await byClient(messages)
  expect(await ours(messages)).toEqual({ ...request, body: { ...body, sentAt } })
}

describe('a batch is laid out as by the client', () => {
  const text = fc.oneof(
    fc.string({ minLength: 1, unit: 'binary' }),
    fc.constantFrom('$&', '"', '\\', '\u2028', ':0'),
  )
  const json = fc.jsonValue().filter((value) => !JSON.stringify(value).includes('__proto__'))
  const name = fc.string().filter((each) => !['__proto__', 'library', 'toJSON'].includes(each))
  const object = fc.dictionary(name, json, { maxKeys: 4 })
  const timestamp = fc.constantFrom('2026-03-01T09:00:00.000Z', '2026-03-01T09:00:00+02:00')
  const identity = { userId: text, timestamp }
  /** A few kinds, of which a batch holds many, and some that it has to recognise as none. */
  const body = fc.oneof(
    fc.record({ type: fc.constant('track'), event: text, properties: object, context: object, ...identity }),
    fc.record({ type: fc.constant('track'), event: text, properties: object, anonymousId: text, timestamp }),
    fc.record({ type: fc.constant('identify'), traits: object, ...identity }),
    fc.record({ type: fc.constant('group'), groupId: text, traits: object, ...identity }),
    fc.record({ type: fc.constant('page'), name: text, properties: object, ...identity }),
    fc
      .record({ type: fc.constant('page'), category: text, properties: object, ...identity })
      // As it is recorded: what the client would copy is there already.
      .map((page) => ({ ...page, properties: { ...page.properties, category: page.category } })),
    fc.record({
      type: fc.constant('track'),
      event: text,
      context: object.map((context) => ({ ...context, library: { name: 'mine', more: 1 } })),
      integrations: fc.constantFrom({}, { All: false, Amplitude: { sessionId: 7 } }),
      ...identity,
    }),
  )
  const message = body.map(
    (each): OutgoingMessage => ({
      messageId: randomUUID(),
      type: each.type as OutgoingMessage['type'],
      body: JSON.stringify(each),
    }),
  )

  it('whatever its messages hold', async () => {
    let abridged = 0
    const same = async (messages: OutgoingMessage[]) => {
      if (abridge(messages)) abridged++
      await expectSame(messages)
    }
    const batches = fc.array(message, { minLength: 1, maxLength: 60, size: 'max' })
    await fc.assert(fc.asyncProperty(batches, same), { numRuns: 100 })
    expect(abridged).toBeGreaterThan(30)
  })

  it('in its order, where kinds take turns', async () => {
    const messages = Array.from({ length: 10 }, () => [
      ...oneOfEach(),
      track(),
      track({ userId: undefined, anonymousId: 'a' }),
    ])
    await expectSame(messages.flat())
  })

  it('where a value looks like a mark', async () => {
    const mark = '00000000-0000-4000-8000-000000000000'
    const value = { [`${mark}properties`]: 0, text: `"${mark}userId":0` }
    await expectSame(
      Array.from({ length: 8 }, () => track({ properties: value, userId: `${mark}messageId` })),
    )
  })
})

describe('what the client is given', () => {
  const given = (messages: readonly OutgoingMessage[]) => abridge(messages)?.messages.length

  it('is a specimen and the first of a kind, and what is of no kind that many are of', () => {
    expect(given(tracks(250))).toBe(2)
    expect(given([...tracks(10), ...oneOfEach()])).toBe(6)
    const anonymous = Array.from({ length: 10 }, () => track({ userId: undefined, anonymousId: 'a' }))
    expect(given([...tracks(10), ...anonymous])).toBe(4)
  })

  it('is every message, where it would look at them or there are few', () => {
    expect(given(tracks(3))).toBeUndefined()
    const special = [
      { integrations: { Amplitude: false } },
      { context: { library: { name: 'mine' } } },
      { properties: {} },
      { event: '' },
      { userId: 7 },
      { unknown: 'member' },
      { properties: { text: 'x'.repeat(32_000) } },
    ]
    for (const body of special) {
      const alike = Array.from({ length: 10 }, () => track(body))
      expect([body, given(alike)]).toEqual([body, undefined])
      expect([body, given([...tracks(10), ...alike])]).toEqual([body, 12])
    }
    expect(given(Array.from({ length: 10 }, () => track({}, '')))).toBeUndefined()
    expect(given(Array.from({ length: 10 }, () => ({ ...track(), body: '{"type":"track"' })))).toBeUndefined()
  })

  it('is every message, where it would make more than one request of them', () => {
    const large = Array.from({ length: 30 }, () => track({ properties: { text: 'é'.repeat(10_000) } }))
    expect(given(large)).toBeUndefined()
    expect(given(large.slice(0, 10))).toBe(2)
  })

  it('names nobody in the specimen', () => {
    const messages = Array.from({ length: 10 }, () => track({ userId: 'jo', properties: { secret: 'told' } }))
    const [specimen] = abridge(messages)?.messages ?? []
    expect(specimen?.body).not.toMatch(/jo|secret|told|Began Test/)
  })
})

describe('what the client makes of two of a kind does not tell of the others', () => {
  /** The request for the abridged batch, with what another client might do to its messages. */
  async function whole(
    messages: OutgoingMessage[],
    change: (message: Record<string, unknown>, at: number) => void,
  ) {
    const abridged = abridge(messages)
    if (!abridged) throw new Error('it is not abridged')
    const { body } = await byClient(abridged.messages)
    for (const [at, message] of body.batch.entries()) change(message as never, at)
    return abridged.whole(JSON.stringify(body))
  }

  it.each<[string, (message: Record<string, unknown>, at: number) => void]>([
    ['a member that differs from message to message', (message, at) => Object.assign(message, { at })],
    ['a value that it changes', (message) => Object.assign(message, { event: `${message.event}!` })],
    ['a value that it reads', (message) => Object.assign(message, { length: String(message.event).length })],
    [
      'a member of the properties',
      ({ properties: p }) => Object.assign(p as object, { n: Object.keys(p as object).length }),
    ],
  ])('%s: it has to lay out each itself', async (_, change) => {
    const messages = Array.from({ length: 10 }, () => track({ properties: { one: 1, two: 2 } }))
    expect(await whole(messages, () => undefined)).toEqual(expect.any(String))
    expect(await whole(messages, change)).toBeUndefined()
  })

  it('what it adds to each alike, each gets', async () => {
    const messages = tracks(10)
    const added = await whole(messages, (message) => Object.assign(message, { sender: { is: 'new' } }))
    const { batch } = JSON.parse(added ?? '{}') as Request
    expect(batch).toEqual(
      messages.map((each) => expect.objectContaining({ ...bodyOf(each), sender: { is: 'new' } })),
    )
  })
})
