import { type LocalSegment, startLocalSegment } from '../../src/testing'
import { post, postBatch, track } from './http'

let segment: LocalSegment

beforeEach(async () => {
  segment = await startLocalSegment({ writeKeys: ['key'] })
})

afterEach(() => segment.close())

test('counts that come in several requests', async () => {
  const waiting = segment.waitFor({ accepted: 2, duplicates: 1, discarded: 1, requests: 3 })
  await postBatch(segment.url, 'key', [track('a')])
  await postBatch(segment.url, 'key', [track('a')])
  await postBatch(segment.url, 'key', [track('b'), { type: 'track' }])
  await waiting
})

test('a condition that holds already', async () => {
  await segment.waitFor({ accepted: 0 })
})

test('any condition', async () => {
  const waiting = segment.waitFor(({ accepted }) => accepted({ event: 'Submitted Test' }).length === 1)
  await postBatch(segment.url, 'key', [track('a')])
  await post(segment.url, '/v1/track', 'key', track('b', { event: 'Submitted Test' }))
  await waiting
})

test('a condition that throws is passed on', async () => {
  const waiting = segment.waitFor(() => {
    throw new Error('what a pity')
  })
  await expect(waiting).rejects.toThrow('what a pity')
})

test('waiting ends with a message that says what there is', async () => {
  await postBatch(segment.url, 'key', [track('a')])
  await expect(segment.waitFor({ accepted: 2 }, { timeoutMs: 1 })).rejects.toThrow(
    /Waited 1 ms for {"accepted":2}.*"accepted":1/,
  )
})
