import { explain, type MessageFacts } from '../../../src/operate/inspect/explain'
import type { SourceWarehouse } from '../../../src/operate/inspect/types'

const now = new Date('2026-11-23T12:00:00Z')
const minutes = (n: number) => new Date(now.getTime() + n * 60_000)

type Source = NonNullable<MessageFacts['source']>
type Batch = NonNullable<MessageFacts['batch']>
const source = (changes: Partial<Source> = {}): Source => ({
  status: 'enabled',
  health: 'healthy',
  verification: 'known',
  writeKeyLastFour: 'abcd',
  region: 'us',
  failures: 0,
  resumeAt: null,
  lastError: null,
  leaseOwner: null,
  leaseExpiresAt: null,
  warehouse: null,
  ...changes,
})
const warehouse = (changes: Partial<SourceWarehouse> = {}): SourceWarehouse => ({
  schema: 'meridian_production',
  lagHours: 2,
  canaryMinutes: 5,
  reconciledAt: null,
  missing: 0,
  canaryLostSince: null,
  ...changes,
})
const batch = (changes: Partial<Batch> = {}): Batch => ({
  batchId: '7',
  attemptStartedAt: null,
  firstAmbiguousAt: null,
  confirmedAt: null,
  attemptCount: 1,
  attempts: [],
  ...changes,
})
const facts = (changes: Partial<MessageFacts> = {}): MessageFacts => ({
  now,
  status: 'pending',
  reason: null,
  settledAt: null,
  erasedAt: null,
  batchId: null,
  batch: undefined,
  source: source(),
  ahead: 0,
  dispatching: true,
  dedupWindowMs: 23 * 3_600_000,
  ...changes,
})
const settled = { settledAt: minutes(-5), batchId: '7' }
const held = { leaseOwner: 'host-1:42:beef', leaseExpiresAt: minutes(1) }
const accepted = [{ at: minutes(-5).toISOString(), ms: 12.4, verdict: 'accepted', status: 200 }]

const cases: [name: string, changes: Partial<MessageFacts>, why: string, next: string, actions: string][] = [
  [
    'next in line',
    {},
    'It waits for its source’s turn, and is the next to go.',
    'Nothing: turns come within seconds. If it is still here in a minute, look at its source.',
    'discard',
  ],
  [
    'behind others',
    { ahead: 3 },
    'It waits for its turn behind 3 messages of its source.',
    'Nothing: turns',
    'discard',
  ],
  [
    'without a source',
    { source: undefined },
    'Its source no longer exists, so nobody can send it.',
    'Discard it',
    'discard',
  ],
  [
    'in flight',
    { batch: batch({ attemptStartedAt: minutes(-1), firstAmbiguousAt: minutes(-1) }), source: source(held) },
    'It is on its way to Segment since 2026-11-23 11:59:00 UTC, sent by host-1:42:beef.',
    'Nothing: look again in a few seconds.',
    '',
  ],
  [
    'of a dispatcher that died with it',
    {
      batch: batch({ attemptStartedAt: minutes(-9), firstAmbiguousAt: minutes(-9) }),
      source: source({ ...held, leaseExpiresAt: minutes(-8) }),
    },
    'The dispatcher host-1:42:beef, which held its source, has not been heard of since its lease ended at 2026-11-23 11:52:00 UTC, and Segment may have had it since 2026-11-23 11:51:00 UTC.',
    'Nothing: another dispatcher takes over within seconds, at the latest 2026-11-24 10:51:00 UTC.',
    '',
  ],
  [
    'of a dispatcher that died, and no other',
    { source: source({ ...held, leaseExpiresAt: minutes(-8) }), dispatching: false },
    'The dispatcher host-1:42:beef, which held its source, has not been heard of',
    'Start a process that calls `outbox.start()`',
    'discard',
  ],
  [
    'of a paused source',
    { source: source({ status: 'paused' }) },
    'Its source is paused, so it is held.',
    'Resume the source when',
    'discard',
  ],
  [
    'of a paused source, in doubt',
    { source: source({ status: 'paused' }), batch: batch({ firstAmbiguousAt: minutes(-60) }) },
    'Its source is paused, and Segment may have had it since 2026-11-23 11:00:00 UTC, so it is held.',
    'Resume the source, at the latest 2026-11-24 10:00:00 UTC; later, it becomes uncertain instead of being sent.',
    '',
  ],
  [
    'of a disabled source',
    { source: source({ status: 'disabled' }) },
    'Its source is disabled, so it is held.',
    'Resume the source, or discard',
    'discard',
  ],
  [
    'of a refused key',
    { source: source({ health: 'refused', failures: 2, lastError: 'HTTP 401' }) },
    'Nothing can be sent with its source’s write key (HTTP 401).',
    'Save a valid write key in place of the one ending in abcd: it goes out at once then.',
    'discard',
  ],
  [
    'whose secret key is missing',
    { source: source({ health: 'refused', failures: 2, lastError: 'encrypted with the secret key "k1"' }) },
    'Nothing can be sent with its source’s write key (encrypted with the secret key "k1").',
    'Put the missing secret key back into OUTBOX_SECRET_KEYS',
    'discard',
  ],
  [
    'of a resting source',
    { source: source({ health: 'failing', failures: 2, lastError: 'HTTP 503', resumeAt: minutes(1) }) },
    'Its source rests until 2026-11-23 12:01:00 UTC after 2 failed attempts: HTTP 503.',
    'Nothing: it is tried again by itself. Retry now if the cause is mended.',
    'discard',
  ],
  [
    'of a resting source that nobody will try',
    { source: source({ failures: 1, lastError: 'HTTP 503' }), dispatching: false },
    'Its source is about to try again after 1 failed attempt: HTTP 503.',
    'Start a process that calls',
    'discard',
  ],
  [
    'that nobody dispatches',
    { dispatching: false },
    'No dispatcher is running, so nobody sends it.',
    'Start a process',
    'discard',
  ],
  [
    'in doubt',
    { batch: batch({ firstAmbiguousAt: minutes(-2) }) },
    'An attempt at 2026-11-23 11:58:00 UTC ended without an answer, so Segment may have it.',
    'Nothing: it is sent again under the same id, at the latest 2026-11-24 10:58:00 UTC.',
    '',
  ],
  [
    'delivered',
    { ...settled, status: 'delivered', batch: batch({ attempts: accepted }) },
    'Segment accepted it at 2026-11-23 11:55:00 UTC, with the first attempt of batch 7 in 12 ms.',
    'Nothing. Segment has queued it',
    '',
  ],
  [
    'delivered at last',
    { ...settled, status: 'delivered', batch: batch({ attempts: accepted, attemptCount: 9 }) },
    'Segment accepted it at 2026-11-23 11:55:00 UTC, with attempt 9 of batch 7 in 12 ms.',
    'Nothing. Segment has queued it',
    '',
  ],
  [
    'delivered with a key that Segment does not know',
    { ...settled, status: 'delivered', batch: batch(), source: source({ verification: 'unknown' }) },
    'Segment accepted it at',
    'Check the key: Segment did not know the one ending in abcd',
    '',
  ],
  [
    'delivered with a key that could not be verified',
    { ...settled, status: 'delivered', batch: batch(), source: source({ verification: 'unverified' }) },
    'Segment accepted it at',
    'Nothing, if it is in Segment. Whether the key ending in abcd is right for region us could not be verified',
    '',
  ],
  [
    'delivered, its history pruned',
    { ...settled, status: 'delivered' },
    'Segment accepted it at 2026-11-23 11:55:00 UTC. The history of that batch has been pruned.',
    'Nothing.',
    '',
  ],
  [
    'delivered, and found in the warehouse',
    { ...settled, status: 'delivered', batch: batch({ attempts: accepted, confirmedAt: now }) },
    'Segment accepted it at 2026-11-23 11:55:00 UTC, with the first attempt of batch 7 in 12 ms, and it was found in the portal’s warehouse at 2026-11-23 12:00:00 UTC.',
    'Nothing: it is where it was to go.',
    '',
  ],
  [
    'delivered since a canary is lost',
    {
      ...settled,
      status: 'delivered',
      batch: batch({ attempts: accepted }),
      source: source({ health: 'refused', warehouse: warehouse({ canaryLostSince: minutes(-60) }) }),
    },
    'Segment accepted it at 2026-11-23 11:55:00 UTC',
    'Look at its source: what Segment accepted at 2026-11-23 11:00:00 UTC did not reach the warehouse',
    '',
  ],
  [
    'uncertain until it was found',
    { ...settled, status: 'delivered', reason: 'found in the warehouse', batch: batch() },
    'Nobody knew whether Segment had it, until it was found in the portal’s warehouse.',
    'Nothing: it is where it was to go.',
    '',
  ],
  [
    'marked delivered',
    { ...settled, status: 'delivered', reason: 'marked delivered by olga: seen it' },
    'A person said so: marked delivered by olga: seen it.',
    'Nothing. Its messageId',
    '',
  ],
  [
    'diverted',
    { status: 'dead', settledAt: now, reason: 'properties.testId: Invalid input' },
    'It could never be sent, and was set aside when it was recorded: properties.testId: Invalid input.',
    'Correct the code that records it',
    'discard',
  ],
  [
    'refused',
    { ...settled, status: 'dead', reason: 'Segment refused it: HTTP 400', batch: batch() },
    'Segment refused it: HTTP 400.',
    'Read Segment’s answer.',
    'send-again discard',
  ],
  [
    'refused, after an attempt that nobody knows the end of',
    {
      ...settled,
      status: 'dead',
      reason: 'Segment refused it: HTTP 400',
      batch: batch({ firstAmbiguousAt: minutes(-9) }),
    },
    'Segment refused it: HTTP 400; but an attempt at 2026-11-23 11:51:00 UTC ended without an answer, so Segment may have it from then.',
    'Look for its messageId',
    'send-again mark-delivered discard',
  ],
  [
    'refused, its history pruned',
    { ...settled, status: 'dead', reason: 'Segment refused it: HTTP 400' },
    'Segment refused it: HTTP 400; whether an earlier attempt was accepted is not known any more',
    'Look for its messageId',
    'send-again mark-delivered discard',
  ],
  [
    'uncertain',
    { ...settled, status: 'uncertain', reason: 'r', batch: batch({ firstAmbiguousAt: minutes(-1500) }) },
    'Segment may have it since 2026-11-22 11:00:00 UTC, and after 23 h it may have forgotten the id: sending it again could double it.',
    'Look for its messageId',
    'send-again mark-delivered discard',
  ],
  [
    'discarded',
    { status: 'discarded', settledAt: now, reason: 'discarded by olga: INC-42' },
    'It was given up: discarded by olga: INC-42.',
    'Nothing: a discarded message is never sent.',
    '',
  ],
  [
    'erased after it was delivered',
    { ...settled, status: 'delivered', erasedAt: now },
    'Segment accepted it, and its user’s data was erased here at 2026-11-23 12:00:00 UTC.',
    'Nothing here. To remove it from Segment',
    '',
  ],
  [
    'erased before it was delivered',
    { status: 'discarded', settledAt: now, erasedAt: now, reason: 'erased before it was sent' },
    'Its user’s data was erased at 2026-11-23 12:00:00 UTC: erased before it was sent.',
    'Nothing: only its id and its state are left',
    '',
  ],
]

it.each(cases)('a message %s is explained, with what to do next', (_, changes, why, next, actions) => {
  const explanation = explain(facts(changes))
  expect(explanation.why.slice(0, why.length)).toBe(why)
  expect(explanation.next.slice(0, next.length)).toBe(next)
  expect(explanation.actions.join(' ')).toBe(actions)
  for (const sentence of [explanation.why, explanation.next]) expect(sentence).toMatch(/^[A-Z].*[.]$/)
})
