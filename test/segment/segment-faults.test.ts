import { Sender } from '../../src/segment/sender'
import { judge, type Verdict } from '../../src/segment/verdict'
import { type LocalSegment, type RequestFault, startLocalSegment } from '../../src/testing'
import { idsOf, track, tracks } from './messages'

let segment: LocalSegment
let sender: Sender
/** For where the answer never comes, or not to its end; elsewhere a busy machine must not end the request. */
let impatient: Sender

beforeAll(async () => {
  segment = await startLocalSegment({ writeKeys: ['key'] })
  sender = new Sender({ host: segment.url, timeoutMs: 10_000, concurrency: 1 })
  impatient = new Sender({ host: segment.url, timeoutMs: 1000, concurrency: 1 })
})
afterEach(() => segment.reset())
afterAll(async () => {
  sender.close()
  impatient.close()
  await segment.close()
})

const source = { sourceId: 'one', region: 'us', writeKey: 'key' } as const
const status = (status: number, headers?: Record<string, string>): RequestFault => ({
  kind: 'status',
  status,
  headers,
})

/** Faults, what they are taken for, and whether the workspace got the messages. */
it.each<[RequestFault, Partial<Verdict>, 'arrived' | 'did not arrive']>([
  [{ kind: 'delay', ms: 10 }, { kind: 'accepted' }, 'arrived'],
  [{ kind: 'timeout' }, { kind: 'ambiguous' }, 'did not arrive'],
  [{ kind: 'timeout', accepted: true }, { kind: 'ambiguous' }, 'arrived'],
  [{ kind: 'reset-before-read' }, { kind: 'ambiguous' }, 'did not arrive'],
  [{ kind: 'reset-after-accept' }, { kind: 'ambiguous' }, 'arrived'],
  [{ kind: 'reset-mid-response' }, { kind: 'ambiguous' }, 'arrived'],
  [{ kind: 'slow-body' }, { kind: 'ambiguous' }, 'arrived'],
  [{ kind: 'truncated-body' }, { kind: 'ambiguous' }, 'arrived'],
  [{ kind: 'success-false' }, { kind: 'ambiguous' }, 'did not arrive'],
  [{ kind: 'garbage-body' }, { kind: 'ambiguous' }, 'did not arrive'],
  [{ kind: 'empty-body' }, { kind: 'ambiguous' }, 'did not arrive'],
  [{ kind: 'redirect', status: 301, location: '/' }, { kind: 'ambiguous' }, 'did not arrive'],
  [{ kind: 'redirect', status: 302, location: '/' }, { kind: 'ambiguous' }, 'did not arrive'],
  [{ kind: 'redirect', status: 308, location: '/' }, { kind: 'ambiguous' }, 'did not arrive'],
  [status(204), { kind: 'ambiguous' }, 'did not arrive'],
  [status(400), { kind: 'refused-message' }, 'did not arrive'],
  [status(413), { kind: 'refused-message' }, 'did not arrive'],
  [status(401), { kind: 'refused-source' }, 'did not arrive'],
  [status(403), { kind: 'refused-source' }, 'did not arrive'],
  [status(429), { kind: 'throttled' }, 'did not arrive'],
  [status(429, { 'retry-after': '7' }), { kind: 'throttled', retryAfterMs: 7000 }, 'did not arrive'],
  [status(503, { 'retry-after': '7' }), { kind: 'ambiguous', retryAfterMs: 7000 }, 'did not arrive'],
  [status(500), { kind: 'ambiguous' }, 'did not arrive'],
])('%j is %j; it %s', async (fault, verdict, arrived) => {
  segment.fault([fault])
  const messages = tracks(3)
  const by = fault.kind === 'timeout' || fault.kind === 'slow-body' ? impatient : sender
  const seen = judge(await by.send(source, messages))
  expect(seen).toMatchObject(verdict)
  expect(idsOf(segment.accepted())).toEqual(arrived === 'arrived' ? idsOf(messages) : [])
  // One request, whatever came of it.
  expect(segment.requests().map(({ method, messageIds }) => [method, messageIds])).toEqual([
    ['POST', fault.kind === 'reset-before-read' ? [] : idsOf(messages)],
  ])
})

it('a Retry-After as a date is read by the clock of the server', async () => {
  const server = Date.now() - 40 * 60_000 // 40 minutes behind ours
  const headers = {
    date: new Date(server).toUTCString(),
    'retry-after': new Date(server + 30_000).toUTCString(),
  }
  segment.fault([status(429, headers)])
  const verdict = judge(await sender.send(source, tracks(1)))
  expect(verdict).toMatchObject({ kind: 'throttled', retryAfterMs: 30_000 })
})

it('a poison message is refused, and its neighbours with it, until it is alone', async () => {
  const [good, bad] = [tracks(2), track({ properties: { poison: true } })]
  segment.fault({
    kind: 'poison',
    predicate: ({ properties }) => (properties as { poison?: true }).poison === true,
  })
  expect(judge(await sender.send(source, [...good, bad])).kind).toBe('refused-message')
  expect(judge(await sender.send(source, good)).kind).toBe('accepted')
  expect(judge(await sender.send(source, [bad])).kind).toBe('refused-message')
})

it('a host that is down is unreachable, and found again when it is back', async () => {
  // On a connection that is kept alive, the request could be under way before the host's going down is heard of.
  sender.close()
  const outage = segment.fault({ kind: 'refuse-connections' })
  expect(judge(await sender.send(source, tracks(1))).kind).toBe('unreachable')
  await outage.clear()
  expect(judge(await sender.send(source, tracks(1))).kind).toBe('accepted')
})
