import type { AnalyticsSettings, HTTPClientRequest } from '@segment/analytics-node'
import { Sender } from '../../src/segment/sender'
import { judge } from '../../src/segment/verdict'
import { type LocalSegment, type RequestFault, startLocalSegment } from '../../src/testing'
import { idsOf, track, tracks } from './messages'
import { officialClients, report } from './official-client'

/**
 * What the official client does on the wire, and what ours does in its place. The facts are those of docs/segment.md;
 * the ones that recording protects from are in client-facts-outbox.test.ts.
 */
let segment: LocalSegment
let sender: Sender
const official = officialClients(() => segment.url)

beforeEach(async () => {
  segment = await startLocalSegment({ writeKeys: ['key'] })
  sender = new Sender({ host: segment.url, timeoutMs: 5000, concurrency: 4 })
})
afterEach(async () => {
  sender.close()
  await official.end()
  await segment.close()
  jest.restoreAllMocks()
})

const source = { sourceId: 'one', region: 'us', writeKey: 'key' } as const
const call = (messageId = 'm1') => ({ userId: 'user-1', event: 'Began Test', messageId })

describe('any 2xx or 3xx is a success to the client, and the body is never read', () => {
  const faults: RequestFault[] = [
    { kind: 'success-false' },
    { kind: 'garbage-body' },
    { kind: 'empty-body' },
    { kind: 'status', status: 202 },
    { kind: 'status', status: 304 },
    { kind: 'redirect', status: 301, location: '/v1/projects/key/settings' },
    { kind: 'redirect', status: 302, location: '/v1/projects/key/settings' },
  ]

  it.each(faults)('official: %j is reported as delivered, and lost', async (fault) => {
    segment.fault([fault])
    const client = official.create()
    const reported = report(client)
    client.track(call())
    await client.flush()
    expect(await reported).toBe('delivered')
    expect(segment.accepted()).toEqual([])
    if (fault.kind === 'redirect') {
      // The batch became a GET without a body.
      expect(segment.requests().map(({ method, bytes }) => [method, bytes > 0])).toEqual([
        ['POST', true],
        ['GET', false],
      ])
    }
  })

  it.each(faults)('ours: %j is not proof, and nothing follows it', async (fault) => {
    segment.fault([fault])
    expect(judge(await sender.send(source, tracks(1))).kind).toBe('ambiguous')
    expect(segment.requests()).toHaveLength(1)
  })
})

describe('Segment switched off, for a call or for the client', () => {
  it.each<[string, Partial<AnalyticsSettings>, Record<string, boolean> | undefined]>([
    ["integrations: { 'Segment.io': false }", {}, { 'Segment.io': false }],
    ['disable: true', { disable: true }, undefined],
  ])('official: %s is reported as delivered, and never sent', async (_, settings, integrations) => {
    const client = official.create(settings)
    const reported = report(client)
    client.track({ ...call(), integrations })
    await client.flush()
    expect(await reported).toBe('delivered')
    expect(segment.requests()).toEqual([])
  })

  it('ours: it is refused, and says so', async () => {
    const seen = await sender.send(source, [track({ integrations: { 'Segment.io': false } })])
    expect(seen).toMatchObject({
      kind: 'unsent',
      message: 'the client left a message out, and would report it sent',
    })
  })
})

describe('a listener that throws', () => {
  const boom = () => {
    throw new Error('boom')
  }

  it('official: makes it send again what was answered 200, and report it failed', async () => {
    // One retry instead of its ten: those would take minutes.
    const client = official.create({ maxRetries: 1 })
    client.on('http_response', boom)
    const reported = report(client)
    client.track(call())
    await client.flush()
    expect(await reported).toBe('failed')
    expect(segment.summary()).toMatchObject({ accepted: 1, duplicates: 1 })
  })

  it('ours: has no listeners where one could harm, and one request', async () => {
    expect(judge(await sender.send(source, tracks(1))).kind).toBe('accepted')
    expect(segment.requests()).toHaveLength(1)
  })
})

describe('flush()', () => {
  beforeEach(() => {
    jest.spyOn(console, 'warn').mockImplementation(() => {})
  })

  it('official: resolves on a time-out and on an overlap as if all had been sent', async () => {
    segment.fault({ kind: 'timeout' })
    const client = official.create({ flushAt: 1 })
    client.track(call())
    await segment.waitFor({ requests: 1 })
    await client.flush({ timeout: 1 })
    await client.flush()
    expect(segment.accepted()).toEqual([])
    expect(console.warn).toHaveBeenCalledWith(expect.stringContaining('Overlapping flush'))
  })

  it('official: leaves a partial batch where it is while others are out, until something fills it', async () => {
    segment.fault([{ kind: 'timeout' }])
    const client = official.create({ flushAt: 2 })
    for (const messageId of ['m1', 'm2', 'm3']) client.track(call(messageId))
    await segment.waitFor({ requests: 1 })
    await client.flush({ timeout: 1 })
    expect(segment.requests().map(({ messageIds }) => messageIds)).toEqual([['m1', 'm2']])
    client.track(call('m4'))
    await segment.waitFor({ accepted: 2 })
    expect(idsOf(segment.accepted())).toEqual(['m3', 'm4'])
  })

  it('ours: each batch is one request, others being out or not, and ends with what was seen of it', async () => {
    const hung = segment.fault([{ kind: 'timeout' }])
    const abort = new AbortController()
    const stuck = sender.send(source, tracks(1), abort.signal)
    await segment.waitFor(() => hung.hits === 1)
    const batches = [tracks(2), tracks(1)]
    const seen = await Promise.all(batches.map((batch) => sender.send(source, batch)))
    expect(seen.map((each) => judge(each).kind)).toEqual(['accepted', 'accepted'])
    abort.abort()
    expect(judge(await stuck).kind).toBe('ambiguous')
    expect(
      segment
        .requests()
        .slice(1)
        .map(({ messageIds }) => messageIds.length)
        .sort(),
    ).toEqual([1, 2])
  })
})

describe('maxRetries: 0', () => {
  const tooMany: RequestFault = { kind: 'status', status: 429, headers: { 'retry-after': '0' } }

  it('official: sends again after a 429 with Retry-After', async () => {
    // 21 times in all, a second apart at least; two of them prove it.
    segment.fault(tooMany)
    const client = official.create({ maxRetries: 0, flushAt: 1 })
    client.track(call())
    await segment.waitFor({ requests: 2 })
    expect(segment.requests().map(({ headers }) => headers['x-retry-count'])).toEqual([undefined, '1'])
  })

  it('official: gives up a batch whose connection was stale', async () => {
    const client = official.create({ maxRetries: 0, flushAt: 1 })
    const first = report(client)
    client.track(call('m1'))
    expect(await first).toBe('delivered')
    segment.fault([{ kind: 'reset-before-read' }])
    const reported = report(client)
    client.track(call('m2'))
    expect(await reported).toBe('failed')
    expect(idsOf(segment.accepted())).toEqual(['m1'])
  })

  it('ours: one request, and its outcome', async () => {
    segment.fault([tooMany])
    expect(judge(await sender.send(source, tracks(1)))).toMatchObject({ kind: 'throttled', retryAfterMs: 0 })
    expect(segment.requests()).toHaveLength(1)
    segment.fault([{ kind: 'reset-before-read' }])
    expect(judge(await sender.send(source, tracks(1))).kind).toBe('ambiguous')
    expect(segment.requests()).toHaveLength(2)
  })
})

describe('what is given to the client', () => {
  it('official: is changed by it, and changes what it sends', async () => {
    const context: Record<string, unknown> = { ip: '192.0.2.1' }
    const properties = { testId: 'test-1' }
    const client = official.create()
    client.track({ ...call(), context, properties })
    properties.testId = 'test-2'
    await client.flush()
    expect(context).toHaveProperty('library.name', '@segment/analytics-node')
    expect(segment.accepted()).toMatchObject([{ message: { properties: { testId: 'test-2' } } }])
  })

  it('ours: stays as it is', async () => {
    const message = track({ context: { ip: '192.0.2.1' } })
    const before = structuredClone(message)
    await sender.send(source, [message])
    expect(message).toEqual(before)
  })
})

describe("messageId: ''", () => {
  it('official: becomes a random one', async () => {
    const client = official.create()
    client.track(call(''))
    await client.flush()
    expect(segment.accepted()).toMatchObject([{ messageId: expect.stringMatching(/^node-next-/) }])
  })

  it('ours: is not sent', async () => {
    expect(await sender.send(source, [track({}, '')])).toMatchObject({ kind: 'unsent' })
    expect(segment.requests()).toEqual([])
  })
})

describe('its time-out, for an HTTP client of one’s own', () => {
  it('official: is a number that somebody may heed', async () => {
    const request = await new Promise<HTTPClientRequest>((resolve) => {
      const makeRequest = (request: HTTPClientRequest) => new Promise<never>(() => resolve(request))
      official.create({ httpRequestTimeout: 1, flushAt: 1, httpClient: { makeRequest } }).track(call())
    })
    expect(request.httpRequestTimeout).toBe(1)
    expect(request).not.toHaveProperty('signal')
  })

  it('ours: ends the request', async () => {
    segment.fault({ kind: 'timeout' })
    const hasty = new Sender({ host: segment.url, timeoutMs: 1000, concurrency: 1 })
    expect(await hasty.send(source, tracks(1))).toMatchObject({ kind: 'error', code: 'TIMEOUT' })
    await segment.waitFor(({ requests }) => requests()[0]?.cutBy === 'client')
    hasty.close()
  })
})
