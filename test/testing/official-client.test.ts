import { Analytics, type Context } from '@segment/analytics-node'
import { type LocalSegment, startLocalSegment } from '../../src/testing'

let segment: LocalSegment
let clients: Analytics[]

beforeEach(async () => {
  segment = await startLocalSegment({ writeKeys: ['key'] })
  segment.addWriteKey('eu-key', { region: 'eu' })
  clients = []
})

afterEach(async () => {
  await Promise.all(clients.map((client) => client.closeAndFlush({ timeout: 1 })))
  await segment.close()
})

/** The client as it ships, its retries included; only the host is ours. */
function client(settings: { writeKey?: string; host?: string } = {}): Analytics {
  const created = new Analytics({ writeKey: 'key', host: segment.url, flushAt: 100, ...settings })
  created.on('error', () => {})
  clients.push(created)
  return created
}

/** Resolves with the outcome that the client reports for a call. */
const outcome = (call: (done: (error: unknown, context?: Context) => void) => void) =>
  new Promise<unknown>((resolve) => call((error) => resolve(error)))

test('identify, track, page, screen, group and alias arrive as one batch', async () => {
  const analytics = client()
  analytics.identify({ userId: 'user-1', traits: { email: 'a@example.com' }, messageId: 'm1' })
  analytics.track({ userId: 'user-1', event: 'Began Test', properties: { testId: 't' }, messageId: 'm2' })
  analytics.page({ anonymousId: 'visitor', name: 'Home', messageId: 'm3' })
  analytics.screen({ userId: 'user-1', name: 'Home', messageId: 'm4' })
  analytics.group({ userId: 'user-1', groupId: 'portal-1', messageId: 'm5' })
  analytics.alias({ userId: 'user-1', previousId: 'visitor', messageId: 'm6' })
  await analytics.flush()
  await segment.waitFor({ accepted: 6 })
  expect(segment.summary()).toMatchObject({
    byType: { identify: 1, track: 1, page: 1, screen: 1, group: 1, alias: 1 },
    byEvent: { 'Began Test': 1 },
    discarded: 0,
  })
  expect(segment.accepted({ event: 'Began Test' })).toMatchObject([
    { messageId: 'm2', message: { properties: { testId: 't' }, context: { library: { version: '3.1.0' } } } },
  ])
  expect(segment.requests()).toMatchObject([
    { path: '/v1/batch', writeKey: 'key', headers: { 'user-agent': 'analytics-node-next/latest' } },
  ])
})

test('the EU host', async () => {
  const analytics = client({ writeKey: 'eu-key', host: segment.euUrl })
  analytics.track({ userId: 'user-1', event: 'Began Test', timestamp: new Date('2026-03-01T09:00:00Z') })
  await analytics.flush()
  await segment.waitFor({ accepted: 1 })
  expect(segment.accepted()).toMatchObject([
    { region: 'eu', originalTimestamp: new Date('2026-03-01T09:00:00Z'), sentAt: expect.any(Date) },
  ])
})

test.each([
  ['an unknown write key', { writeKey: 'mistyped' }, 'unknown-write-key'],
  ['the wrong region', { writeKey: 'eu-key' }, 'wrong-region'],
])('%s is reported as delivered, and lost', async (_, settings, reason) => {
  const analytics = client(settings)
  const reported = outcome((done) => analytics.track({ userId: 'user-1', event: 'Began Test' }, done))
  await analytics.flush()
  expect(await reported).toBeUndefined()
  expect(segment.accepted()).toEqual([])
  expect(segment.discarded()).toMatchObject([{ reason }])
})

test('its default retries after a 500 and a lost answer make a duplicate', async () => {
  segment.fault([{ kind: 'status', status: 500 }, { kind: 'reset-after-accept' }])
  const analytics = client()
  analytics.track({ userId: 'user-1', event: 'Began Test', messageId: 'm1' })
  await analytics.flush()
  await segment.waitFor({ accepted: 1, duplicates: 1 })
  expect(segment.requests().map(({ status, headers }) => [status, headers['x-retry-count']])).toEqual([
    [500, undefined],
    [undefined, '1'],
    [200, '2'],
  ])
})

test('it waits out a 429 and then delivers', async () => {
  segment.fault([{ kind: 'status', status: 429, headers: { 'retry-after': '1' } }])
  const analytics = client()
  analytics.track({ userId: 'user-1', event: 'Began Test' })
  await analytics.flush()
  await segment.waitFor({ accepted: 1 })
  expect(segment.requests().map(({ status }) => status)).toEqual([429, 200])
})

test('it gives up at once on a 400', async () => {
  segment.fault({ kind: 'poison', predicate: ({ event }) => event === 'Began Test' })
  const analytics = client()
  const reported = outcome((done) => analytics.track({ userId: 'user-1', event: 'Began Test' }, done))
  await analytics.flush()
  expect(await reported).toMatchObject({ message: '[400] Bad Request' })
  expect(segment.requests()).toHaveLength(1)
})

test.each([
  ['a redirect', { kind: 'redirect', status: 301, location: '/' }],
  ['success: false', { kind: 'success-false' }],
  ['a sign-in page', { kind: 'garbage-body' }],
] as const)('%s is reported as delivered, and lost', async (_, fault) => {
  segment.fault(fault)
  const analytics = client()
  const reported = outcome((done) => analytics.track({ userId: 'user-1', event: 'Began Test' }, done))
  await analytics.flush()
  expect(await reported).toBeUndefined()
  expect(segment.accepted()).toEqual([])
})
