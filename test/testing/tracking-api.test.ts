import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { type LocalSegment, startLocalSegment } from '../../src/testing'
import { basic, get, post, postBatch, send, track } from './http'

const SUCCESS = { status: 200, body: '{"success":true}' }

let segment: LocalSegment
let now: number

beforeEach(async () => {
  now = Date.parse('2026-03-01T09:00:00.000Z')
  segment = await startLocalSegment({ writeKeys: ['key'], now: () => now })
})

afterEach(() => segment.close())

describe('calls', () => {
  test('each call has a path of its own', async () => {
    const calls = {
      identify: { traits: { plan: 'pro' } },
      track: { event: 'Began Test' },
      page: { name: 'Home' },
      screen: { name: 'Home' },
      group: { groupId: 'portal-1' },
      alias: { previousId: 'anonymous' },
    }
    for (const [type, fields] of Object.entries(calls)) {
      const seen = await post(segment.url, `/v1/${type}`, 'key', { userId: 'user-1', ...fields })
      expect(seen).toMatchObject(SUCCESS)
    }
    expect(segment.accepted().map(({ type }) => type)).toEqual(Object.keys(calls))
    expect(segment.accepted({ type: 'group' })).toMatchObject([{ userId: 'user-1', groupId: 'portal-1' }])
  })

  test('a batch is laid down in its order', async () => {
    expect(
      await postBatch(segment.url, 'key', [track('a'), track('b', { event: 'Submitted Test' })]),
    ).toMatchObject(SUCCESS)
    expect(segment.accepted()).toMatchObject([
      { messageId: 'a', event: 'Began Test', userId: 'user-1', writeKey: 'key', region: 'us' },
      { messageId: 'b', event: 'Submitted Test' },
    ])
    const [request] = segment.requests()
    expect(request).toMatchObject({ status: 200, messageIds: ['a', 'b'], path: '/v1/batch', writeKey: 'key' })
    expect(segment.accepted({ requestId: request?.id })).toHaveLength(2)
  })

  test('a batch-wide context is merged into every call', async () => {
    const batch = [track('a', { context: { ip: '::1' } }), track('b')]
    await post(segment.url, '/v1/batch', 'key', { batch, context: { library: { name: 'x' } } })
    expect(segment.accepted().map(({ message }) => message.context)).toEqual([
      { library: { name: 'x' }, ip: '::1' },
      { library: { name: 'x' } },
    ])
  })

  test('event time is corrected for a skewed clock', async () => {
    // The sender is an hour ahead; the event happened five minutes before it was sent.
    const sentAt = new Date(now + 3_600_000).toISOString()
    const timestamp = new Date(now + 3_300_000).toISOString()
    await post(segment.url, '/v1/batch', 'key', { batch: [track('a', { timestamp })], sentAt })
    expect(segment.accepted()).toMatchObject([
      {
        receivedAt: new Date(now),
        sentAt: new Date(sentAt),
        originalTimestamp: new Date(timestamp),
        timestamp: new Date(now - 300_000),
      },
    ])
  })

  test('the body may be compressed', async () => {
    const body = gzipSync(JSON.stringify({ batch: [track('a')] }))
    const headers = { ...basic('key'), 'content-encoding': 'gzip' }
    expect(await send('POST', `${segment.url}/v1/batch`, { headers, body })).toMatchObject(SUCCESS)
    expect(segment.accepted()).toHaveLength(1)
    expect(segment.requests()).toMatchObject([
      { bytes: body.length, headers: { 'content-encoding': 'gzip' } },
    ])
  })

  test('a missing messageId is generated', async () => {
    await postBatch(segment.url, 'key', [track(''), { ...track(''), messageId: undefined }])
    const ids = segment.accepted().map(({ messageId }) => messageId)
    expect(new Set(ids).size).toBe(2)
    expect(ids).not.toContain('')
  })

  test('the write key may be in the body, and the header may lack its colon', async () => {
    await send('POST', `${segment.url}/v1/track`, {
      body: JSON.stringify({ ...track('a'), writeKey: 'key' }),
    })
    await send('POST', `${segment.url}/v1/track`, {
      body: JSON.stringify(track('b')),
      headers: { authorization: `Basic ${btoa('key')}` },
    })
    await send('POST', `${segment.url}/v1/track`, {
      body: JSON.stringify({ ...track('c'), writeKey: 'key' }),
      headers: { authorization: 'Bearer token' },
    })
    expect(segment.accepted({ writeKey: 'key' })).toHaveLength(3)
  })

  test('other paths and methods do not exist', async () => {
    expect(await post(segment.url, '/v1/nothing', 'key', {})).toMatchObject({ status: 404 })
    expect(await get(`${segment.url}/v1/batch`)).toMatchObject({ status: 404 })
    expect(await get(`${segment.url}//`)).toMatchObject({ status: 404 })
  })
})

test('a sender that leaves before its body is complete has sent nothing', async () => {
  const head = `POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic('key').authorization}\r\n`
  const body = JSON.stringify({ batch: [track('a')] })
  const socket = connect(segment.port, '127.0.0.1')
  socket.write(`${head}Content-Length: ${body.length + 1}\r\n\r\n${body}`, () => socket.destroy())
  await segment.waitFor(({ requests }) => requests()[0]?.cutBy === 'client')
  expect(segment.summary()).toMatchObject({ accepted: 0, requests: { byStatus: { unanswered: 1 } } })
})

describe('what is answered 400', () => {
  const refused = { status: 400 }
  const padding = (bytes: number) => ({ properties: { text: 'é'.repeat(Math.ceil(bytes / 2)) } })

  afterEach(() => {
    expect(segment.summary()).toMatchObject({ accepted: 0, discarded: 0, requests: { byStatus: { 400: 1 } } })
  })

  test.each(['{', '', '[]', '"text"', '{"batch":{}}', '{}'])('the body %j', async (body) => {
    expect(await send('POST', `${segment.url}/v1/batch`, { headers: basic('key'), body })).toMatchObject(
      refused,
    )
  })

  test('a body that is not the gzip it claims to be', async () => {
    const headers = { ...basic('key'), 'content-encoding': 'gzip' }
    expect(await send('POST', `${segment.url}/v1/batch`, { headers, body: '{}' })).toMatchObject(refused)
  })

  test('no write key anywhere', async () => {
    const body = JSON.stringify({ batch: [track('a')] })
    expect(await send('POST', `${segment.url}/v1/batch`, { body })).toMatchObject(refused)
  })

  test('a single call over 32 KB', async () => {
    expect(await post(segment.url, '/v1/track', 'key', track('a', padding(32 * 1024)))).toMatchObject(refused)
  })

  test('a batch with one event over 32 KB, counted in bytes', async () => {
    const batch = [track('a'), track('b', padding(32 * 1024)), track('c')]
    expect(await postBatch(segment.url, 'key', batch)).toMatchObject(refused)
  })

  test('a batch over 500 KB', async () => {
    const batch = Array.from({ length: 20 }, (_, n) => track(`${n}`, padding(26 * 1024)))
    expect(await postBatch(segment.url, 'key', batch)).toMatchObject(refused)
  })

  test('a body too large to be read', async () => {
    const batch = Array.from({ length: 200 }, (_, n) => track(`${n}`, padding(30 * 1024)))
    expect(await postBatch(segment.url, 'key', batch)).toMatchObject(refused)
    expect(segment.requests()).toMatchObject([{ bytes: 0, messageIds: [] }])
  })
})

test('limits are met exactly', async () => {
  const largest = track('a', { properties: { quoted: '"}]\\' } })
  const missing = 32 * 1024 - Buffer.byteLength(JSON.stringify(largest))
  largest.userId += 'x'.repeat(missing)
  expect(await postBatch(segment.url, 'key', [track('b'), largest, track('c')])).toMatchObject(SUCCESS)
  largest.userId += 'x'
  expect(await postBatch(segment.url, 'key', [track('d'), largest])).toMatchObject({ status: 400 })
  expect(segment.accepted().map(({ messageId }) => messageId)).toEqual(['b', 'a', 'c'])
})

describe('what is answered 200 and dropped', () => {
  const discard = async (reason: string, send: () => Promise<unknown>) => {
    expect(await send()).toMatchObject(SUCCESS)
    expect(segment.accepted()).toEqual([])
    expect(segment.discarded()[0]).toMatchObject({ reason })
  }

  test('an unknown write key', async () => {
    await discard('unknown-write-key', () => postBatch(segment.url, 'other', [track('a')]))
  })

  test('a revoked write key', async () => {
    segment.removeWriteKey('key')
    await discard('unknown-write-key', () => postBatch(segment.url, 'key', [track('a')]))
  })

  test('the wrong region', async () => {
    await discard('wrong-region', () => postBatch(segment.euUrl, 'key', [track('a')]))
  })

  test('more than 2,500 events in a batch', async () => {
    const batch = Array.from({ length: 2501 }, (_, n) => ({ type: 'page', userId: 'u', messageId: `${n}` }))
    await discard('batch-too-long', () => postBatch(segment.url, 'key', batch))
    expect(segment.summary().discardedBy).toEqual({ 'batch-too-long': 2501 })
  })

  test.each([
    ['malformed', { type: 'tracked', userId: 'u' }],
    ['no-user-or-anonymous-id', { type: 'track', event: 'Began Test', userId: '' }],
    ['track-without-event', { type: 'track', userId: 'u' }],
    ['group-without-group-id', { type: 'group', userId: 'u' }],
    ['message-id-too-long', track('x'.repeat(101))],
  ])('%s, and only that message', async (reason, message) => {
    await postBatch(segment.url, 'key', [track('before'), message, track('after')])
    expect(segment.accepted().map(({ messageId }) => messageId)).toEqual(['before', 'after'])
    expect(segment.discarded({ reason: reason as 'malformed' })).toHaveLength(1)
  })

  test('what is no object', async () => {
    await discard('malformed', () => post(segment.url, '/v1/batch', 'key', { batch: [null] }))
  })

  test('an event blocked by Protocols', async () => {
    segment.blockEvent('Began Test')
    await discard('blocked-event', () => postBatch(segment.url, 'key', [track('a')]))
  })
})

describe('deduplication', () => {
  const DAY_MS = 24 * 60 * 60 * 1000

  test('a repeated messageId is dropped for 24 hours and not longer', async () => {
    await postBatch(segment.url, 'key', [track('a'), track('a')])
    now += DAY_MS - 1
    await postBatch(segment.url, 'key', [track('a')])
    expect(segment.summary()).toMatchObject({ accepted: 1, duplicates: 2 })
    now += 1
    await postBatch(segment.url, 'key', [track('a')])
    expect(segment.summary()).toMatchObject({ accepted: 2, duplicates: 2 })
    expect(segment.duplicates({ messageId: 'a' })).toHaveLength(2)
  })

  test('it is not scoped to a source or region', async () => {
    segment.addWriteKey('eu-key', { region: 'eu', workspace: 'other' })
    await postBatch(segment.url, 'key', [track('a')])
    await postBatch(segment.euUrl, 'eu-key', [track('a')])
    expect(segment.duplicates()).toMatchObject([{ messageId: 'a', writeKey: 'eu-key', region: 'eu' }])
  })

  test('what was dropped for another reason does not use up its id', async () => {
    await postBatch(segment.url, 'other', [track('a')])
    await postBatch(segment.url, 'key', [track('a')])
    expect(segment.summary()).toMatchObject({ accepted: 1, duplicates: 0 })
  })
})

describe('settings', () => {
  test('a known write key is found on either host', async () => {
    segment.addWriteKey('eu/key', { region: 'eu' })
    for (const host of [segment.url, segment.euUrl]) {
      const { status, body } = await get(`${host}/v1/projects/eu%2Fkey/settings`)
      expect(status).toBe(200)
      expect(JSON.parse(body ?? '')).toMatchObject({
        integrations: { 'Segment.io': { apiKey: 'eu/key', apiHost: `127.0.0.1:${segment.euPort}/v1` } },
        plan: {},
      })
    }
  })

  test('an unknown or revoked one is not', async () => {
    segment.removeWriteKey('key')
    for (const key of ['other', 'key', '%']) {
      expect(await get(`${segment.url}/v1/projects/${key}/settings`)).toMatchObject({ status: 404 })
    }
  })
})
