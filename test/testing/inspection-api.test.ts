import { type LocalSegment, startLocalSegment } from '../../src/testing'
import { get, postBatch, send, track } from './http'

let segment: LocalSegment

beforeEach(async () => {
  segment = await startLocalSegment({ writeKeys: ['key'] })
})

afterEach(() => segment.close())

async function call(
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status?: number; json: unknown }> {
  const seen = await send(method, `${segment.url}/_local/${path}`, {
    body: body && JSON.stringify(body),
  } as object)
  return { status: seen.status, json: JSON.parse(seen.body ?? 'null') }
}

test('the summary is the same as in the process', async () => {
  await postBatch(segment.url, 'key', [track('a')])
  expect(await call('GET', 'summary')).toEqual({ status: 200, json: segment.summary() })
})

test('accepted messages, filtered and page by page', async () => {
  await postBatch(segment.url, 'key', [
    track('a'),
    track('b', { event: 'Submitted Test' }),
    track('c'),
    track('d', { userId: 'user-2' }),
    track('e'),
  ])
  const ids = async (query: string) => {
    const { json } = await call('GET', `accepted?${query}`)
    const { messages, next } = json as { messages: { n: number; messageId: string }[]; next: number | null }
    return { ids: messages.map(({ n, messageId }) => `${n}${messageId}`).join(' '), next }
  }
  expect(await ids('')).toEqual({ ids: '1a 2b 3c 4d 5e', next: null })
  expect(await ids('event=Began%20Test&limit=2')).toEqual({ ids: '1a 3c', next: 3 })
  expect(await ids('event=Began%20Test&limit=2&after=3')).toEqual({ ids: '4d 5e', next: null })
  expect(await ids('userId=user-2&writeKey=key')).toEqual({ ids: '4d', next: null })
  expect(await ids('messageId=b')).toEqual({ ids: '2b', next: null })
  expect(await ids('writeKey=other')).toEqual({ ids: '', next: null })
})

test('duplicates, discarded messages and requests', async () => {
  await postBatch(segment.url, 'key', [track('a'), track('a'), { type: 'track' }])
  await call('GET', 'summary')
  expect(await call('GET', 'duplicates')).toMatchObject({ json: { messages: [{ messageId: 'a' }] } })
  expect(await call('GET', 'discarded')).toMatchObject({
    json: { messages: [{ reason: 'no-user-or-anonymous-id' }] },
  })
  expect(await call('GET', 'requests?writeKey=key')).toMatchObject({
    json: { requests: [{ n: 1, path: '/v1/batch', status: 200, messageIds: ['a', 'a'] }], next: null },
  })
})

test('write keys come and go', async () => {
  await call('POST', 'write-keys', { key: 'eu/key', region: 'eu', workspace: 'w' })
  await postBatch(segment.euUrl, 'eu/key', [track('a')])
  await call('DELETE', 'write-keys/eu%2Fkey')
  await postBatch(segment.euUrl, 'eu/key', [track('b')])
  expect(segment.summary()).toMatchObject({ accepted: 1, discardedBy: { 'unknown-write-key': 1 } })
})

test('faults of every kind can be ordered and cleared', async () => {
  const orders = [
    {
      fault: { kind: 'status', status: 503, body: { x: 1 }, headers: { 'retry-after': '1' }, accepted: true },
    },
    { fault: { kind: 'slow-body', accepted: false } },
    { fault: { kind: 'reset-mid-response' } },
    { fault: { kind: 'delay', ms: 5 } },
    { fault: { kind: 'redirect', status: 307, location: '/' }, on: 'settings' },
    { fault: { kind: 'refuse-connections', region: 'eu', forMs: 60_000 } },
  ]
  for (const order of orders) expect(await call('POST', 'faults', order)).toMatchObject({ status: 200 })
  expect(await postBatch(segment.url, 'key', [track('a')])).toMatchObject({ status: 503, body: '{"x":1}' })
  expect(await get(segment.euUrl)).toEqual({ error: 'ECONNREFUSED' })
  await call('DELETE', 'faults')
  expect(await postBatch(segment.url, 'key', [track('a')])).toMatchObject({ status: 200 })
  expect(await get(segment.euUrl)).toMatchObject({ status: 200 })
})

test('poison is named by event and ids', async () => {
  await call('POST', 'faults', {
    fault: { kind: 'poison', event: 'Began Test', messageIds: ['a'] },
    times: 2,
  })
  expect(await postBatch(segment.url, 'key', [track('a', { event: 'Other' })])).toMatchObject({ status: 200 })
  expect(await postBatch(segment.url, 'key', [track('b')])).toMatchObject({ status: 200 })
  expect(await postBatch(segment.url, 'key', [track('a')])).toMatchObject({ status: 400 })
})

test('an outage ordered from outside ends by itself', async () => {
  await call('POST', 'faults', { fault: { kind: 'refuse-connections', region: 'eu', forMs: 0 } })
  // Refused or not, depending on when the timer fires; what counts is that it comes back.
  let seen = await get(segment.euUrl)
  while (seen.error === 'ECONNREFUSED') seen = await get(segment.euUrl)
  expect(seen).toMatchObject({ status: 200 })
})

test('reset', async () => {
  await postBatch(segment.url, 'key', [track('a')])
  expect(await call('POST', 'reset')).toMatchObject({ status: 200 })
  expect(segment.summary()).toMatchObject({ accepted: 0 })
})

test.each([
  ['POST', 'write-keys', { key: '' }, /key/],
  ['POST', 'write-keys', undefined, /object/],
  ['POST', 'write-keys', { key: 'k', area: 'eu' }, /area/],
  ['POST', 'faults', { fault: { kind: 'earthquake' } }, /fault\.kind/],
  ['POST', 'faults', { fault: { kind: 'poison' } }, /by event, by messageIds/],
  ['POST', 'faults', { fault: { kind: 'refuse-connections' } }, /forMs/],
  ['POST', 'faults', { fault: { kind: 'refuse-connections', forMs: 1 }, times: 1 }, /takes no options/],
  ['GET', 'accepted?limit=0', undefined, /limit/],
  ['GET', 'accepted?user=x', undefined, /user/],
])('%s %s %j is refused with the reason', async (method, path, body, reason) => {
  expect(await call(method, path, body)).toMatchObject({
    status: 400,
    json: { error: expect.stringMatching(reason) },
  })
})

test('what does not exist is answered with what does', async () => {
  expect(await call('GET', 'nothing')).toMatchObject({
    status: 404,
    json: { error: expect.stringContaining('GET summary') },
  })
})

test('the front page names the hosts, and looking around is not recorded', async () => {
  const { body } = await get(segment.url)
  expect(body).toContain(segment.euUrl)
  expect(body).toContain('/_local/accepted')
  expect(segment.requests()).toEqual([])
})
