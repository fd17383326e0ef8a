import { type LocalSegment, type SegmentFault, startLocalSegment } from '../../src/testing'
import { get, post, postBatch, type Seen, send, track } from './http'

let segment: LocalSegment

beforeEach(async () => {
  segment = await startLocalSegment({ writeKeys: ['key', 'other'] })
})

afterEach(() => segment.close())

const batch = (signal?: AbortSignal) => postBatch(segment.url, 'key', [track('a')], signal)

/** What the sender sees, whether the message arrived all the same, and who ended the connection. */
const ANSWERED: [SegmentFault, Seen, number, 'server' | undefined][] = [
  [{ kind: 'status', status: 503 }, { status: 503, body: '{"success":false}' }, 0, undefined],
  [{ kind: 'status', status: 500, accepted: true }, { status: 500 }, 1, undefined],
  [{ kind: 'status', status: 204 }, { status: 204 }, 0, undefined],
  [
    {
      kind: 'status',
      status: 429,
      body: 'slow down',
      headers: { 'retry-after': 'Sun, 01 Mar 2026 09:00:00 GMT' },
    },
    { status: 429, body: 'slow down' },
    0,
    undefined,
  ],
  [{ kind: 'delay', ms: 1 }, { status: 200, body: '{"success":true}' }, 1, undefined],
  [{ kind: 'reset-before-read' }, { error: 'ECONNRESET' }, 0, 'server'],
  [{ kind: 'reset-after-accept' }, { error: 'ECONNRESET' }, 1, 'server'],
  [{ kind: 'reset-mid-response' }, { status: 200, body: '{"succes', error: 'ECONNRESET' }, 1, 'server'],
  [{ kind: 'redirect', status: 302, location: '/elsewhere' }, { status: 302 }, 0, undefined],
  [{ kind: 'success-false' }, { status: 200, body: '{"success":false}' }, 0, undefined],
  [{ kind: 'garbage-body' }, { status: 200, body: expect.stringContaining('<html>') }, 0, undefined],
  [{ kind: 'empty-body', accepted: true }, { status: 200 }, 1, undefined],
  [{ kind: 'truncated-body' }, { status: 200, body: '{"success":true}', error: 'ECONNRESET' }, 1, 'server'],
  [{ kind: 'poison', predicate: ({ messageId }) => messageId === 'a' }, { status: 400 }, 0, undefined],
]

test.each(ANSWERED)('%j', async (fault, expected, accepted, cutBy) => {
  const handle = segment.fault(fault)
  expect(await batch()).toMatchObject(expected)
  expect(segment.accepted()).toHaveLength(accepted)
  expect(segment.requests()).toMatchObject([{ fault: fault.kind, status: expected.status, cutBy }])
  expect(handle.hits).toBe(1)
  await handle.clear()
  expect(await batch()).toMatchObject({ status: 200, body: '{"success":true}' })
  expect(segment.summary()).toMatchObject({ accepted: 1, duplicates: accepted })
})

test.each<[SegmentFault, number | undefined, number]>([
  [{ kind: 'timeout' }, undefined, 0],
  [{ kind: 'timeout', accepted: true }, undefined, 1],
  [{ kind: 'slow-body' }, 200, 1],
])('%j hangs until the sender gives up', async (fault, status, accepted) => {
  segment.fault(fault)
  const leaving = new AbortController()
  const answer = batch(leaving.signal)
  await segment.waitFor({ requests: 1 })
  expect(segment.requests()).toMatchObject([{ status, fault: fault.kind, cutBy: undefined }])
  expect(segment.accepted()).toHaveLength(accepted)
  leaving.abort()
  expect(await answer).toMatchObject({ error: 'ABORT_ERR' })
  await segment.waitFor(() => segment.requests()[0]?.cutBy === 'client')
  expect(segment.summary().requests.byStatus).toEqual({ [status ?? 'unanswered']: 1 })
})

test('headers of a status, and the location of a redirect', async () => {
  segment.fault([
    { kind: 'status', status: 429, headers: { 'Retry-After': '7', 'Content-Type': 'text/plain' } },
    { kind: 'redirect', status: 301, location: 'http://127.0.0.1/x' },
  ])
  expect(await batch()).toMatchObject({ headers: { 'retry-after': '7', 'content-type': 'text/plain' } })
  expect(await batch()).toMatchObject({ headers: { location: 'http://127.0.0.1/x' } })
})

test('a sequence is run through once, then all is well', async () => {
  const handle = segment.fault([
    { kind: 'status', status: 500 },
    { kind: 'reset-before-read' },
    { kind: 'success-false' },
  ])
  expect([await batch(), await batch(), await batch(), await batch()]).toMatchObject([
    { status: 500 },
    { error: 'ECONNRESET' },
    { body: '{"success":false}' },
    { body: '{"success":true}' },
  ])
  expect(handle.hits).toBe(3)
})

test('times, writeKey and when choose the requests', async () => {
  segment.fault({ kind: 'status', status: 500 }, { times: 1, writeKey: 'other' })
  segment.fault({ kind: 'status', status: 503 }, { when: ({ messageIds }) => messageIds.includes('b') })
  expect(await batch()).toMatchObject({ status: 200 })
  expect(await postBatch(segment.url, 'other', [track('c')])).toMatchObject({ status: 500 })
  expect(await postBatch(segment.url, 'other', [track('c')])).toMatchObject({ status: 200 })
  expect(await postBatch(segment.url, 'key', [track('a'), track('b')])).toMatchObject({ status: 503 })
})

test('a write key in the body is known to all faults but the reset before reading', async () => {
  segment.fault([{ kind: 'status', status: 500 }], { writeKey: 'key' })
  segment.fault({ kind: 'reset-before-read' }, { writeKey: 'key' })
  const body = JSON.stringify({ ...track('a'), writeKey: 'key' })
  expect(await send('POST', `${segment.url}/v1/track`, { body })).toMatchObject({ status: 500 })
  expect(await send('POST', `${segment.url}/v1/track`, { body })).toMatchObject({ status: 200 })
  expect(await batch()).toMatchObject({ error: 'ECONNRESET' })
})

test('poison spoils its batch and no other', async () => {
  const poison = segment.fault({ kind: 'poison', predicate: ({ messageId }) => messageId === 'bad' })
  expect(await postBatch(segment.url, 'key', [track('a'), track('bad')])).toMatchObject({ status: 400 })
  expect(await postBatch(segment.url, 'key', [track('a')])).toMatchObject({ status: 200 })
  expect(await post(segment.url, '/v1/track', 'key', track('bad'))).toMatchObject({ status: 400 })
  expect(segment.accepted().map(({ messageId }) => messageId)).toEqual(['a'])
  expect(poison.hits).toBe(2)
})

test('a fault never makes Segment accept what it refuses', async () => {
  segment.fault([{ kind: 'reset-after-accept' }])
  await post(segment.url, '/v1/batch', 'key', { batch: 'none' })
  expect(segment.summary()).toMatchObject({ accepted: 0, discarded: 0 })
})

test('a predicate that throws is reported to the sender', async () => {
  segment.fault({
    kind: 'poison',
    predicate: () => {
      throw new Error('what a pity')
    },
  })
  expect(await batch()).toMatchObject({ status: 500, body: expect.stringContaining('what a pity') })
})

test('the settings host fails on its own', async () => {
  const settings = () => get(`${segment.url}/v1/projects/key/settings`)
  segment.fault([{ kind: 'reset-before-read' }, { kind: 'status', status: 503 }], { on: 'settings' })
  expect(await batch()).toMatchObject({ status: 200 })
  expect([await settings(), await settings(), await settings()]).toMatchObject([
    { error: 'ECONNRESET' },
    { status: 503 },
    { status: 200 },
  ])
})

describe('refuse-connections', () => {
  test('refuses on the same port until it is cleared', async () => {
    const outage = segment.fault({ kind: 'refuse-connections' })
    const { port } = segment
    expect(await batch()).toEqual({ error: 'ECONNREFUSED' })
    expect(await get(segment.euUrl)).toEqual({ error: 'ECONNREFUSED' })
    await outage.clear()
    await outage.clear()
    expect(segment.port).toBe(port)
    expect(await batch()).toMatchObject({ status: 200 })
    expect(await get(segment.euUrl)).toMatchObject({ status: 200 })
  })

  test('can hit one region', async () => {
    segment.fault({ kind: 'refuse-connections', region: 'eu' })
    expect(await batch()).toMatchObject({ status: 200 })
    expect(await get(segment.euUrl)).toEqual({ error: 'ECONNREFUSED' })
    await segment.clearFaults()
    expect(await get(segment.euUrl)).toMatchObject({ status: 200 })
  })

  test('the host is back when its last outage has ended', async () => {
    const both = segment.fault({ kind: 'refuse-connections' })
    const one = segment.fault({ kind: 'refuse-connections', region: 'us' })
    await both.clear()
    expect(await batch()).toEqual({ error: 'ECONNREFUSED' })
    await one.clear()
    expect(await batch()).toMatchObject({ status: 200 })
  })

  test('a request under way is answered, and its connection closed', async () => {
    const handle = segment.fault({ kind: 'delay', ms: 1 })
    const answer = batch()
    await segment.waitFor({ accepted: 1 })
    segment.fault({ kind: 'refuse-connections' })
    expect(await answer).toMatchObject({ status: 200, headers: { connection: 'close' } })
    expect(handle.hits).toBe(1)
  })

  test('takes no options', () => {
    expect(() => segment.fault({ kind: 'refuse-connections' }, { times: 1 })).toThrow('takes no options')
  })
})
