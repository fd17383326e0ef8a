import type { Region } from '../../entities'
import { verifyWriteKey } from '../../src/segment/verify-write-key'
import { type LocalSegment, type RequestFault, startLocalSegment } from '../../src/testing'
import { closedPort, http, startRawServer } from './raw-server'

let segment: LocalSegment

beforeAll(async () => {
  segment = await startLocalSegment({ writeKeys: ['known-key', 'a/b?c#d é'] })
})
afterEach(() => segment.reset())
afterAll(() => segment.close())

/** Long enough for a busy machine; where the answer never comes, a test asks for less. */
const PATIENT = 10_000
const IMPATIENT = 300

const verify = (
  writeKey: string,
  {
    region = 'us' as Region,
    host = segment.url,
    settingsHost = undefined as string | undefined,
    timeoutMs = PATIENT,
  } = {},
) => verifyWriteKey(writeKey, region, { host, settingsHost, timeoutMs })

it('a known write key, without sending anything', async () => {
  expect(await verify('known-key')).toBe('known')
  expect(segment.requests()).toMatchObject([
    { method: 'GET', path: '/v1/projects/known-key/settings', status: 200 },
  ])
  expect(segment.summary()).toMatchObject({ accepted: 0, discarded: 0 })
})

it('an unknown one', async () => {
  expect(await verify('unknown-key')).toBe('unknown')
})

it('a key is one segment of the path, whatever is in it', async () => {
  expect(await verify('a/b?c#d é')).toBe('known')
  expect(await verify('known-key/settings?')).toBe('unknown')
})

it('what no address can hold is not asked for', async () => {
  expect(await verify('\ud800')).toBe('unverified')
  expect(await verify('known-key', { host: 'nowhere' })).toBe('unverified')
  expect(segment.requests()).toEqual([])
})

it('asks the settings host where there is one, and takes of it the origin', async () => {
  expect(await verify('known-key', { host: 'http://127.0.0.1:1', settingsHost: segment.url })).toBe('known')
  expect(await verify('known-key', { settingsHost: `${segment.url}/` })).toBe('known')
})

it("asks the region's host", async () => {
  const host = { us: 'http://127.0.0.1:1', eu: segment.euUrl }
  expect(await verifyWriteKey('known-key', 'eu', { host, timeoutMs: PATIENT })).toBe('known')
  expect(segment.requests()).toMatchObject([{ region: 'eu' }])
})

it.each<RequestFault>([
  { kind: 'status', status: 500 },
  { kind: 'status', status: 503 },
  { kind: 'status', status: 429 },
  { kind: 'status', status: 403 },
  { kind: 'status', status: 204 },
  { kind: 'redirect', status: 302, location: '/' },
  { kind: 'garbage-body' },
  { kind: 'empty-body' },
  { kind: 'reset-before-read' },
  { kind: 'reset-mid-response' },
  { kind: 'truncated-body' },
  { kind: 'slow-body' },
  { kind: 'timeout' },
])('%j says nothing about the key', async (fault) => {
  const timeoutMs = fault.kind === 'timeout' || fault.kind === 'slow-body' ? IMPATIENT : PATIENT
  segment.fault([fault], { on: 'settings' })
  expect(await verify('known-key', { timeoutMs })).toBe('unverified')
  segment.fault([fault], { on: 'settings' })
  expect(await verify('unknown-key', { timeoutMs })).toBe('unverified')
})

it('a host where nobody listens says nothing about the key', async () => {
  expect(await verify('known-key', { host: `http://127.0.0.1:${await closedPort()}` })).toBe('unverified')
})

it.each(['', '[]', 'null', '"text"', '{"integrations":'])(
  'a 200 with %j is not what Segment answers',
  async (body) => {
    const server = await startRawServer({ whole: (socket) => socket.end(http('200 OK', body)) })
    expect(await verify('known-key', { host: server.url })).toBe('unverified')
    await server.close()
  },
)
