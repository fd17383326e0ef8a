import { layoutThread } from '../../src/segment/layout-thread'
import { CLIENT_BYTES, MESSAGE_BYTES } from '../../src/segment/limits'
import { Sender } from '../../src/segment/sender'
import { judge } from '../../src/segment/verdict'
import { type LocalSegment, startLocalSegment } from '../../src/testing'
import { idsOf, track, tracks } from './messages'
import { closedPort, startRawServer } from './raw-server'

let segment: LocalSegment
let sender: Sender

beforeAll(async () => {
  segment = await startLocalSegment({ writeKeys: ['key'] })
})
beforeEach(() => {
  // The client keeps a timer of that length for what it has not sent: the leak guard fails this file if
  // one outlives a batch that was given up.
  sender = new Sender({ host: segment.url, timeoutMs: 60_000, concurrency: 4 })
})
afterEach(async () => {
  sender.close()
  await segment.reset()
})
afterAll(() => segment.close())

const source = { sourceId: 'one', region: 'us', writeKey: 'key' } as const

describe('what the client would send otherwise than asked is not sent at all', () => {
  it.each<[string, ReturnType<typeof track>]>([
    ['no user and no anonymous id', track({ userId: undefined })],
    ['a user id that is no text', track({ userId: 7 })],
    ['no event', track({ event: undefined })],
    ['an event that is no text', track({ event: { name: 'Began Test' } })],
    ['properties that are no object', track({ properties: 'text' })],
    ['an empty messageId, for which the client would make one up', track({}, '')],
    ['Segment switched off', track({ integrations: { 'Segment.io': false } })],
    ['text that is no JSON', { ...track(), body: '{"type":"track"' }],
    ['JSON that is no object', { ...track(), body: 'null' }],
    ['a type that is none', { ...track(), type: 'nothing' as never }],
    ['more than the client takes in one message', track({ properties: { text: 'i'.repeat(40_000) } })],
  ])('%s', async (_, bad) => {
    const messages = [...tracks(30), bad, ...tracks(30)]
    const seen = await sender.send(source, messages)
    expect(seen).toMatchObject({ kind: 'unsent', about: 'messages' })
    expect(judge(seen).kind).toBe('refused-message')

    // And what was handed over before it is not sent with the next batch.
    const next = tracks(3)
    expect(judge(await sender.send(source, next))).toEqual({ kind: 'accepted' })
    expect(segment.requests().map(({ messageIds }) => messageIds)).toEqual([idsOf(next)])
  })

  it('a batch that the client would split', async () => {
    // It counts the letter i and percent escapes only, and splits at 480 KiB of those.
    const seen = await sender.send(
      source,
      Array.from({ length: 30 }, () => track({ properties: { text: 'i'.repeat(30_000) } })),
    )
    expect(seen).toMatchObject({
      kind: 'unsent',
      message: 'the client would have sent other messages than asked',
    })
    expect(segment.requests()).toEqual([])
  })

  it('an empty batch', async () => {
    expect(await sender.send(source, [])).toMatchObject({ kind: 'unsent', about: 'messages' })
  })

  it('but never a message of the size that may be recorded', async () => {
    // The worst the client can make of it: each byte counts.
    const room = MESSAGE_BYTES - CLIENT_BYTES - Buffer.byteLength(track().body) - 20
    const messages = Array.from({ length: 14 }, () => track({ properties: { text: 'i'.repeat(room) } }))
    expect(judge(await sender.send(source, messages))).toEqual({ kind: 'accepted' })
  })
})

describe('what cannot be sent for a source', () => {
  it.each([
    ['an empty write key', { host: 'http://127.0.0.1', writeKey: '' }],
    ['a host that is none', { host: 'nowhere', writeKey: 'key' }],
  ])('%s is the fault of the source, not of its messages', async (_, { host, writeKey }) => {
    const other = new Sender({ host, timeoutMs: 5000, concurrency: 1 })
    const seen = await other.send({ ...source, writeKey }, tracks(1))
    other.close()
    expect(seen).toMatchObject({ kind: 'unsent', about: 'source' })
    expect(judge(seen).kind).toBe('refused-source')
  })

  it('a host where nobody listens is unreachable', async () => {
    const host = `http://127.0.0.1:${await closedPort()}`
    const other = new Sender({ host, timeoutMs: 5000, concurrency: 1 })
    expect(judge(await other.send(source, tracks(1))).kind).toBe('unreachable')
    other.close()
  })
})

describe('given up', () => {
  it('before it began: not sent', async () => {
    const seen = await sender.send(source, tracks(1), AbortSignal.abort())
    expect(seen).toMatchObject({ kind: 'error', code: 'ABORTED', written: false })
    expect(segment.requests()).toEqual([])
  })

  it('while it is laid out: not sent', async () => {
    const abort = new AbortController()
    const sent = sender.send(source, tracks(250), abort.signal)
    await new Promise((resolve) => setImmediate(resolve))
    abort.abort()
    expect(judge(await sent).kind).toBe('unreachable')
    expect(segment.requests()).toEqual([])
  })

  it('when its time is over before the request could go out: not sent', async () => {
    const hasty = new Sender({ host: segment.url, timeoutMs: 1, concurrency: 1 })
    const sent = hasty.send(source, tracks(100))
    for (const ends = performance.now() + 20; performance.now() < ends; ); // longer than the batch has
    const seen = await sent
    hasty.close()
    expect(seen).toMatchObject({ kind: 'error', code: 'TIMEOUT', written: false })
    expect(segment.requests()).toEqual([])
  })

  it('while it is out: ambiguous, and the connection destroyed', async () => {
    segment.fault({ kind: 'timeout' })
    const abort = new AbortController()
    const sent = sender.send(source, tracks(1), abort.signal)
    await segment.waitFor({ requests: 1 })
    abort.abort()
    expect(judge(await sent).kind).toBe('ambiguous')
    await segment.waitFor(({ requests }) => requests()[0]?.cutBy === 'client')
  })

  it('by closing the sender: ambiguous, and the next batch finds its way', async () => {
    segment.fault([{ kind: 'timeout' }])
    const sent = sender.send(source, tracks(1))
    await segment.waitFor({ requests: 1 })
    sender.close()
    expect(judge(await sent).kind).toBe('ambiguous')
    expect(judge(await sender.send(source, tracks(1)))).toEqual({ kind: 'accepted' })
  })

  it('by the end of the thread that lays it out: not sent, and the next batch has another', async () => {
    const sent = sender.send(source, tracks(250))
    await layoutThread.end()
    expect(await sent).toMatchObject({ kind: 'error', code: 'THREAD', written: false })
    expect(judge(await sent).kind).toBe('unreachable')
    expect(segment.requests()).toEqual([])
    expect(judge(await sender.send(source, tracks(1)))).toEqual({ kind: 'accepted' })
  })

  it('but never by a thread that is just ending, which nobody used any more', async () => {
    expect(judge(await sender.send(source, tracks(1)))).toEqual({ kind: 'accepted' })
    const ended = layoutThread.end()
    const sent = Promise.all([1, 25].map((count) => sender.send(source, tracks(count))))
    await ended
    expect((await sent).map((seen) => judge(seen).kind)).toEqual(['accepted', 'accepted'])
  })
})

describe('the write key', () => {
  it('does not come back in what was seen, whatever the server echoes', async () => {
    const writeKey = 'secret-write-key'
    const server = await startRawServer({
      whole(socket, request) {
        const body = JSON.stringify({ message: 'malformed', request })
        socket.end(
          `HTTP/1.1 400 Bad Request\r\nX-Echo: ${writeKey}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        )
      },
    })
    const other = new Sender({ host: server.url, timeoutMs: 5000, concurrency: 1 })
    const seen = await other.send({ ...source, writeKey }, tracks(1))
    other.close()
    await server.close()

    expect(seen).toMatchObject({
      kind: 'response',
      status: 400,
      body: expect.stringContaining('[write key]'),
    })
    const basic = Buffer.from(`${writeKey}:`).toString('base64').replaceAll('=', '')
    for (const secret of [writeKey, basic]) {
      expect(server.requests[0]).toContain(secret) // so it was there to leak
      expect(JSON.stringify([seen, judge(seen)])).not.toContain(secret)
    }
  })

  it('does not come back in an error either', async () => {
    const other = new Sender({ host: segment.url, timeoutMs: 5000, concurrency: 1 })
    const quoted = { ...track(), body: 'secret-write-key' } // by what says that it is no JSON
    const seen = await other.send({ ...source, writeKey: 'secret-write-key' }, [quoted])
    other.close()
    expect(seen).toMatchObject({ kind: 'unsent', message: expect.stringContaining('[write key]') })
  })
})
