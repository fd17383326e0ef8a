import fc from 'fast-check'
import { BATCH_MESSAGES, CLIENT_BYTES } from '../../src/segment/limits'
import { Sender } from '../../src/segment/sender'
import { judge } from '../../src/segment/verdict'
import { type LocalSegment, startLocalSegment } from '../../src/testing'
import { bodyOf, idsOf, oneOfEach, track, tracks } from './messages'
import { http, startRawServer } from './raw-server'

let segment: LocalSegment
let sender: Sender

beforeAll(async () => {
  segment = await startLocalSegment({ writeKeys: ['key-one', 'key-two'] })
  segment.addWriteKey('key-eu', { region: 'eu' })
  sender = new Sender({ host: { us: segment.url, eu: segment.euUrl }, timeoutMs: 5000, concurrency: 4 })
})
afterEach(() => segment.reset())
afterAll(async () => {
  sender.close()
  await segment.close()
})

const one = { sourceId: 'one', region: 'us', writeKey: 'key-one' } as const
const two = { sourceId: 'two', region: 'us', writeKey: 'key-two' } as const

/** What the client adds to each call, and nothing else. */
const added = {
  library: { name: '@segment/analytics-node', version: '3.1.0' },
  _metadata: { nodeVersion: process.version, jsRuntime: 'node' },
}

describe('on the wire', () => {
  it('is what was given, the id, and what the client signs it with', async () => {
    const messages = oneOfEach()
    expect(judge(await sender.send(one, messages))).toEqual({ kind: 'accepted' })
    const { library, _metadata } = added
    expect(segment.accepted().map(({ message }) => message)).toEqual(
      messages.map((message) => {
        const { context, ...body } = bodyOf(message)
        const signed = {
          messageId: message.messageId,
          context: { ...(context as object), library },
          _metadata,
        }
        return { ...body, ...signed }
      }),
    )
    expect(segment.requests()).toMatchObject([
      { method: 'POST', path: '/v1/batch', region: 'us', writeKey: 'key-one' },
    ])
  })

  it('is any JSON as given', async () => {
    const json = fc.jsonValue().filter((value) => !JSON.stringify(value).includes('__proto__'))
    await fc.assert(
      fc.asyncProperty(fc.array(json, { minLength: 1, maxLength: 40 }), async (values) => {
        const messages = values.map((value) => track({ properties: { value } }))
        expect(judge(await sender.send(one, messages))).toEqual({ kind: 'accepted' })
        const [{ id } = { id: '' }] = segment.requests().slice(-1)
        const arrived = segment.accepted({ requestId: id })
        expect(idsOf(arrived)).toEqual(idsOf(messages))
        expect(arrived.map(({ message }) => message.properties)).toEqual(
          JSON.parse(JSON.stringify(values.map((value) => ({ value })))),
        )
      }),
      { numRuns: 30 },
    )
  })

  it('is a full batch in one request, in order', async () => {
    const messages = tracks(BATCH_MESSAGES)
    expect(judge(await sender.send(one, messages))).toEqual({ kind: 'accepted' })
    expect(segment.requests().map(({ messageIds }) => messageIds)).toEqual([idsOf(messages)])
  })

  it('is no larger than the room that is left for the client', async () => {
    const messages = oneOfEach().map((message) => ({
      ...message,
      body: JSON.stringify({ ...bodyOf(message), context: undefined, integrations: undefined }),
    }))
    await sender.send(one, messages)
    for (const [n, { message }] of segment.accepted().entries()) {
      const given = Buffer.byteLength(messages[n]?.body ?? '')
      expect(Buffer.byteLength(`${JSON.stringify(message)},`) - given).toBeLessThanOrEqual(CLIENT_BYTES)
    }
  })

  it('goes to the host of the region', async () => {
    await sender.send({ sourceId: 'three', region: 'eu', writeKey: 'key-eu' }, tracks(1))
    expect(segment.accepted()).toMatchObject([{ region: 'eu', writeKey: 'key-eu' }])
  })

  it('goes out under the key of the moment: a rotated one counts from the next batch', async () => {
    await sender.send(one, tracks(1))
    await sender.send({ ...one, writeKey: 'key-two' }, tracks(1))
    expect(segment.requests().map(({ writeKey }) => writeKey)).toEqual(['key-one', 'key-two'])
  })

  it('is once: no outcome makes the client send again', async () => {
    const headers = { 'retry-after': '0' }
    for (const status of [200, 204, 301, 400, 401, 403, 404, 408, 410, 413, 429, 460, 500, 502, 503, 511]) {
      segment.fault([{ kind: 'status', status, headers: { ...headers, location: '/' } }])
      expect(await sender.send(one, tracks(1))).toMatchObject({ kind: 'response', status })
      await segment.reset()
    }
    segment.fault([{ kind: 'reset-after-accept' }])
    expect(await sender.send(one, tracks(1))).toMatchObject({ kind: 'error', code: 'ECONNRESET' })
    expect(await sender.send(one, tracks(1))).toMatchObject({ status: 200 })
    expect(segment.summary().requests.total).toBe(2)
  })
})

describe('sources', () => {
  it('do not mix, and two batches of one source do not either', async () => {
    const batches = Array.from({ length: 12 }, () => tracks(60))
    const seen = await Promise.all(batches.map((batch, n) => sender.send(n % 2 ? one : two, batch)))
    expect(seen.map((each) => judge(each).kind)).toEqual(batches.map(() => 'accepted'))
    const byKey = (writeKey: string) =>
      new Set(
        segment
          .requests()
          .filter((request) => request.writeKey === writeKey)
          .map(({ messageIds }) => messageIds.join()),
      )
    expect(byKey('key-one')).toEqual(
      new Set(batches.filter((_, n) => n % 2).map((batch) => idsOf(batch).join())),
    )
    expect(byKey('key-two')).toEqual(
      new Set(batches.filter((_, n) => !(n % 2)).map((batch) => idsOf(batch).join())),
    )
  })

  it('share the connections, however many they are', async () => {
    const server = await startRawServer({
      whole: (socket) => socket.write(http('200 OK', '{"success":true}')),
    })
    const small = new Sender({ host: server.url, timeoutMs: 5000, concurrency: 3 })
    const sources = Array.from({ length: 100 }, (_, n) => ({
      ...one,
      sourceId: `${n}`,
      writeKey: `key-${n}`,
    }))
    const seen = await Promise.all(sources.map((source) => small.send(source, tracks(1))))
    small.close()
    await server.close()
    expect(new Set(seen.map((each) => judge(each).kind))).toEqual(new Set(['accepted']))
    expect(server.connections).toBe(3)
  })
})

describe('laid out ahead', () => {
  it('sends nothing until it is told to', async () => {
    const prepared = sender.prepare(one, tracks(3))
    await sender.send(two, tracks(1)) // laid out after it
    expect(segment.requests().map(({ writeKey }) => writeKey)).toEqual(['key-two'])
    expect(judge(await prepared.send())).toEqual({ kind: 'accepted' })
    expect(segment.summary().accepted).toBe(4)
  })

  it('tells Segment when it was sent, however long it waited: by that, it corrects the times', async () => {
    const clock = jest.spyOn(performance, 'now')
    try {
      const prepared = sender.prepare(one, tracks(1))
      await sender.send(two, tracks(1)) // laid out after it
      const later = performance.now() + 1500
      clock.mockImplementation(() => later)
      const called = await aLaterMillisecond()
      await prepared.send()
      const [sent] = segment.accepted({ writeKey: 'key-one' })
      expect(sent?.sentAt?.getTime()).toBeGreaterThanOrEqual(called)
    } finally {
      clock.mockRestore()
    }
  })

  it('does not keep a small batch waiting for a large one', async () => {
    // One of which the client has to lay out every message.
    const many = Array.from({ length: BATCH_MESSAGES }, () => track({ integrations: { Amplitude: false } }))
    const [large, small] = [sender.send(one, many), sender.send(two, tracks(1))]
    await Promise.all([large, small])
    expect(segment.requests().map(({ writeKey }) => writeKey)).toEqual(['key-two', 'key-one'])
  })
})

/** Waits for the clock to move, and returns what it then says. */
async function aLaterMillisecond(): Promise<number> {
  const before = Date.now()
  while (Date.now() <= before) await new Promise((resolve) => setImmediate(resolve))
  return Date.now()
}
