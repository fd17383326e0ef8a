import { createServer } from 'node:net'
import { type LocalSegment, type LocalSegmentOptions, startLocalSegment } from '../../src/testing'
import { get, postBatch, track } from './http'

let segment: LocalSegment

async function start(options: LocalSegmentOptions): Promise<void> {
  segment = await startLocalSegment({ writeKeys: ['key'], ...options })
}

afterEach(() => segment.close())

test('dedup: false lets duplicates through', async () => {
  await start({ dedup: false })
  await postBatch(segment.url, 'key', [track('a'), track('a')])
  expect(segment.summary()).toMatchObject({ accepted: 2, duplicates: 0 })
})

test("keep: 'counts' counts, deduplicates and keeps no messages", async () => {
  await start({ keep: 'counts' })
  await postBatch(segment.url, 'key', [track('a'), track('b'), track('a'), { type: 'track' }])
  expect(segment.summary()).toEqual({
    accepted: 2,
    duplicates: 1,
    discarded: 1,
    byType: { track: 2 },
    byEvent: { 'Began Test': 2 },
    byWriteKey: { key: 2 },
    discardedBy: { 'no-user-or-anonymous-id': 1 },
    requests: { total: 1, byStatus: { 200: 1 } },
  })
  expect(segment.requests()).toMatchObject([{ status: 200, messageIds: [] }])
  expect(() => segment.accepted()).toThrow("keep: 'counts'")
})

test('rateLimit answers 429 for the rest of the second, to one workspace', async () => {
  let now = 1_000_000
  await start({ rateLimit: { requestsPerSecond: 1 }, now: () => now })
  segment.addWriteKey('elsewhere', { workspace: 'other' })
  await postBatch(segment.url, 'key', [track('a')])
  expect(await postBatch(segment.url, 'key', [track('b')])).toMatchObject({
    status: 429,
    headers: { 'retry-after': '1', 'x-ratelimit-reset': '1' },
  })
  expect(await postBatch(segment.url, 'elsewhere', [track('c')])).toMatchObject({ status: 200 })
  now += 1000
  expect(await postBatch(segment.url, 'key', [track('b')])).toMatchObject({ status: 200 })
  expect(segment.accepted().map(({ messageId }) => messageId)).toEqual(['a', 'c', 'b'])
})

test('responseDelayMs accepts first and answers later', async () => {
  await start({ responseDelayMs: 60_000 })
  const leaving = new AbortController()
  const answer = postBatch(segment.url, 'key', [track('a')], leaving.signal)
  await segment.waitFor({ accepted: 1, requests: 1 })
  expect(segment.requests()).toMatchObject([{ status: undefined, cutBy: undefined }])
  leaving.abort()
  await answer
  await segment.waitFor(({ requests }) => requests()[0]?.cutBy === 'client')
})

test('ports can be chosen, and a taken one is reported', async () => {
  await start({})
  const { port } = segment
  await expect(startLocalSegment({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  await expect(startLocalSegment({ euPort: port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  await segment.close()
  await start({ port })
  expect(segment.url).toBe(`http://127.0.0.1:${port}`)
})

test('close ends every connection and frees the ports', async () => {
  await start({})
  segment.fault({ kind: 'timeout' })
  const hanging = postBatch(segment.url, 'key', [track('a')])
  await segment.waitFor({ requests: 1 })
  const waiting = segment.waitFor({ accepted: 1 })
  const rejected = expect(waiting).rejects.toThrow('was closed')
  await segment.close()
  await rejected
  expect(await hanging).toMatchObject({ error: 'ECONNRESET' })
  expect(await get(segment.url)).toEqual({ error: 'ECONNREFUSED' })
  const server = createServer()
  await new Promise<void>((listening) => server.listen(segment.port, '127.0.0.1', listening))
  await new Promise((closed) => server.close(closed))
})

test('reset forgets everything but the write keys', async () => {
  await start({})
  segment.blockEvent('Began Test')
  segment.fault({ kind: 'success-false', accepted: true }, { times: 1 })
  await postBatch(segment.url, 'key', [track('a')])
  segment.fault({ kind: 'timeout' })
  segment.fault({ kind: 'refuse-connections' })
  await segment.reset()
  expect(segment.summary()).toMatchObject({ accepted: 0, discarded: 0, requests: { total: 0, byStatus: {} } })
  expect(segment.requests()).toEqual([])
  expect(await postBatch(segment.url, 'key', [track('a')])).toMatchObject({ status: 200 })
  expect(segment.accepted()).toHaveLength(1)
})
