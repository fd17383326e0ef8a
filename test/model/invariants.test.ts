import { Choices } from './choices'
import {
  A,
  arrival,
  B,
  batch,
  C,
  clean,
  D,
  fact,
  flight,
  HOUR,
  id,
  OTHER,
  request,
  SOURCE,
} from './clean-log'
import type { Evidence, MessageRow, WireRequest } from './evidence'
import { violations } from './invariants'

/** The invariants, shown to notice what they are for: a clean log, and what each kind of damage to it is called. */
const [a, b, c, d] = clean.rows as [MessageRow, MessageRow, MessageRow, MessageRow]
const [first, second, third] = clean.requests as [WireRequest, WireRequest, WireRequest]
const choose = (note: (choices: Choices) => void) => {
  const choices = new Choices()
  note(choices)
  return choices
}
const late = request(1010 + 24 * HOUR, [A])

it('find nothing in a clean log', () => expect(violations(clean)).toEqual([]))

const damage: [invariant: string, what: string, damaged: Partial<Evidence>][] = [
  ['I1', 'a committed message without a row', { rows: [b, c, d] }],
  ['I1', 'a row of a transaction that rolled back', { facts: clean.facts.slice(0, 3) }],
  ['I1', 'two facts in one row', { facts: [...clean.facts, fact('a', 5)] }],
  [
    'I1',
    'a message of a rolled-back transaction on the wire',
    { requests: [...clean.requests, request(1030, [id('x')])] },
  ],
  ['I2', 'a message still pending', { rows: [{ ...a, status: 'pending' }, b, c, d] }],
  ['I2', 'an end without a reason', { rows: [a, b, { ...c, reason: null }, d] }],
  ['I2', 'a message delivered that never arrived', { accepted: [arrival('a')] }],
  [
    'I3',
    'an id that is not the key’s',
    { facts: [{ ...fact('a', 1), name: { event: 'Began Test', key: 'z' } }, ...clean.facts.slice(1)] },
  ],
  [
    'I3',
    'a message sent with another portal’s write key',
    { accepted: [{ ...arrival('a'), sourceId: OTHER }, arrival('b')] },
  ],
  ['I3', 'a message stored for another portal', { rows: [{ ...a, portalId: 'another' }, b, c, d] }],
  [
    'I3',
    'a fact that arrived under another’s id',
    { accepted: [{ ...arrival('a'), key: 'b' }, arrival('b')] },
  ],
  [
    'I2',
    'a message discarded by nobody',
    { rows: [a, b, { ...c, status: 'discarded', reason: 'discarded by' }, d] },
  ],
  ['I2', 'a message sent after it was discarded', { choices: choose((chosen) => chosen.discard(A, 1005)) }],
  ['I4', 'a message accepted twice', { accepted: [...clean.accepted, arrival('a')] }],
  ['I4', 'a re-send past the window', { requests: [first, second, third, late] }],
  [
    'I4',
    'a re-send past the window of a first attempt in doubt',
    { requests: [request(900, [A], { status: undefined }), first, third, late, second] },
  ],
  [
    'I4',
    'a message parked before the window is over',
    {
      rows: [{ ...a, status: 'uncertain', reason: 'window' }, b, c, d],
      batches: [...clean.batches.slice(0, 1), batch(2, [A, B], { ambiguousMs: HOUR, verdicts: ['lost'] })],
    },
  ],
  [
    'I4',
    'a message parked that was never in doubt',
    {
      rows: [{ ...a, status: 'uncertain', reason: 'window' }, b, c, d],
      batches: [
        ...clean.batches.slice(0, 1),
        batch(2, [A, B], { ambiguousMs: 24 * HOUR, verdicts: ['throttled'] }),
      ],
    },
  ],
  [
    'I5',
    'a message delivered on the word of a redirect',
    { requests: [first, { ...second, status: 307, fault: 'redirect' }, third] },
  ],
  [
    'I5',
    'a message delivered on a 200 whose body was cut',
    { requests: [first, { ...second, fault: 'truncated-body' }, third] },
  ],
  [
    'I5',
    'a message delivered on a request that did not hold it',
    { requests: [first, { ...second, messageIds: [B] }, third] },
  ],
  ['I6', 'two requests under one lease', { flights: [flight(0), flight(5)] }],
  ['I6', 'one process with two leases of a source', { flights: [flight(0), flight(5, { token: '2' })] }],
  ['I6', 'a zombie that settles', { settlements: [{ sourceId: SOURCE, token: 1n, latest: 2n }] }],
  ['I7', 'a swapped order', { accepted: [arrival('b'), arrival('a')] }],
  [
    'I7',
    'an order against seq, of transactions side by side',
    {
      facts: [{ ...fact('a', 2), began: 1 }, fact('b', 2), ...clean.facts.slice(2)],
      accepted: [arrival('b'), arrival('a')],
    },
  ],
  [
    'I8',
    'a good message that died with a poisonous one',
    { rows: [{ ...a, status: 'dead', reason: 'refused' }, b, c, d] },
  ],
  ['I8', 'poison delivered', { rows: [a, b, { ...c, status: 'delivered' }, d] }],
  [
    'I8',
    'more requests than halving needs',
    {
      batches: [
        ...clean.batches,
        batch(4, [C], { parentId: 3 }),
        batch(5, [C], { parentId: 4 }),
        batch(6, [C], { parentId: 5 }),
      ],
    },
  ],
  ['I10', 'a bad payload that was not diverted', { rows: [a, b, c, { ...d, status: 'uncertain' }] }],
  [
    'I10',
    'a bad payload on the wire',
    { requests: [...clean.requests, request(1030, [D], { status: 400 })] },
  ],
]

it.each(damage)('%s notices %s', (invariant, _, damaged) => {
  const found = violations({ ...clean, ...damaged })
  expect(found.map((violation) => violation.split(' ')[0])).toContain(invariant)
})

it('let a message that Segment refused go out again after any time', () => {
  const requests = [first, request(1005, [A, B], { status: 429 }), { ...second, at: 1010 + 48 * HOUR }, third]
  expect(violations({ ...clean, requests })).toEqual([])
})

it('let a message wait for a source that is paused', () => {
  const held = {
    rows: [a, { ...b, status: 'pending' as const, batchId: null }, c, d],
    accepted: [arrival('a')],
  }
  const sources = [{ sourceId: SOURCE, portalId: 'portal', status: 'paused' as const }]
  expect(violations({ ...clean, ...held, sources })).toEqual([])
})

it('let an operator choose a double', () => {
  const doubled = { requests: [first, second, third, late], accepted: [...clean.accepted, arrival('a')] }
  expect(violations({ ...clean, ...doubled })).not.toEqual([])
  const choices = choose((chosen) => chosen.redrive(A, 'send-again'))
  expect(violations({ ...clean, ...doubled, choices })).toEqual([])
})

it('let an operator take a message for delivered', () => {
  const rows = [a, b, { ...c, status: 'delivered' as const, reason: 'marked delivered' }, d]
  expect(violations({ ...clean, rows })).not.toEqual([])
  const choices = choose((chosen) => chosen.redrive(C, 'mark-delivered'))
  expect(violations({ ...clean, rows, choices })).toEqual([])
})

it('let two processes send side by side under different leases: the first is a zombie, and Segment drops the second', () => {
  const flights = [flight(0), flight(5, { process: 'two', token: '2' })]
  expect(violations({ ...clean, flights })).toEqual([])
})
