import { messageId } from '../../src/plan/message-id'
import { Choices } from './choices'
import type { BatchRow, Evidence, Fact, MessageRow, WireRequest } from './evidence'

export const HOUR = 3_600_000
export const [SOURCE, OTHER] = [
  '5f0c6f0e-0000-4000-8000-000000000001',
  '5f0c6f0e-0000-4000-8000-000000000002',
]
export const id = (key: string) => messageId(SOURCE, 'Began Test', key)
export const [A, B, C, D] = ['a', 'b', 'c', 'd'].map(id) as [string, string, string, string]

export const fact = (key: string, n: number, kind: Fact['kind'] = 'good'): Fact => ({
  messageId: id(key),
  sourceId: SOURCE,
  name: { event: 'Began Test', key },
  kind,
  began: n * 10,
  committed: n * 10 + 1,
  visibleAt: n,
})
const row = (key: string, seq: number, over: Partial<MessageRow> = {}): MessageRow => ({
  messageId: id(key),
  sourceId: SOURCE,
  portalId: 'portal',
  seq,
  status: 'delivered',
  reason: null,
  batchId: 1,
  ...over,
})
export const batch = (batchId: number, messageIds: string[], over: Partial<BatchRow> = {}): BatchRow => ({
  batchId,
  parentId: null,
  sourceId: SOURCE,
  messageIds,
  outcome: 'delivered',
  firstAttemptAt: 100,
  ambiguousMs: 5,
  verdicts: ['accepted'],
  ...over,
})
export const request = (at: number, messageIds: string[], over: Partial<WireRequest> = {}): WireRequest => ({
  at,
  sourceId: SOURCE,
  messageIds,
  status: 200,
  fault: undefined,
  cut: false,
  ...over,
})
export const arrival = (key: string) => ({ messageId: id(key), sourceId: SOURCE as string | undefined, key })
export const flight = (from: number, over = {}) => ({
  process: 'one',
  sourceId: SOURCE,
  token: '1',
  from,
  to: from + 10,
  ...over,
})

/** a and b were delivered, c is poison and was found by halving, d could not be sent. */
export const clean: Evidence = {
  windowMs: 23 * HOUR,
  facts: [fact('a', 1), fact('b', 2), fact('c', 3, 'poison'), fact('d', 4, 'bad')],
  sources: [{ sourceId: SOURCE, portalId: 'portal', status: 'enabled' }],
  rows: [
    row('a', 1, { batchId: 2 }),
    row('b', 2, { batchId: 2 }),
    row('c', 3, { batchId: 3, status: 'dead', reason: 'refused' }),
    row('d', 4, { batchId: null, status: 'dead', reason: 'invalid' }),
  ],
  batches: [
    batch(1, [A, B, C], { outcome: 'split', verdicts: ['refused-message'] }),
    batch(2, [A, B], { parentId: 1 }),
    batch(3, [C], { parentId: 1, outcome: 'dead', verdicts: ['refused-message'] }),
  ],
  requests: [
    request(1000, [A, B, C], { status: 400, fault: 'poison' }),
    request(1010, [A, B]),
    request(1020, [C], { status: 400, fault: 'poison' }),
  ],
  accepted: [arrival('a'), arrival('b')],
  flights: [flight(0), flight(10), flight(20)],
  settlements: [{ sourceId: SOURCE, token: 1n, latest: 1n }],
  choices: new Choices(),
}
