import type { RequestFault } from 'synap-outbox/testing'

/** What the local Segment is ordered to do to single requests, by name. Accepted or not is part of the name's meaning. */
const faults = {
  'server error': { kind: 'status', status: 500 },
  'server error after accepting': { kind: 'status', status: 503, accepted: true },
  'request timeout after accepting': { kind: 'status', status: 408, accepted: true },
  'too many requests': { kind: 'status', status: 429, headers: { 'retry-after': '2' } },
  unauthorized: { kind: 'status', status: 401 },
  'no answer': { kind: 'timeout' },
  'no answer after accepting': { kind: 'timeout', accepted: true },
  'reset before reading': { kind: 'reset-before-read' },
  'reset after accepting': { kind: 'reset-after-accept' },
  'cut in the answer': { kind: 'reset-mid-response' },
  'short body': { kind: 'truncated-body' },
  'captive proxy': { kind: 'garbage-body' },
  redirect: { kind: 'redirect', status: 307, location: 'http://127.0.0.1:9/' },
  slow: { kind: 'delay', ms: 15 },
} as const satisfies Record<string, RequestFault>

export type FaultName = keyof typeof faults

export const FAULTS = Object.keys(faults) as FaultName[]

export function requestFault(name: FaultName): RequestFault {
  return faults[name]
}

/** Whether Segment takes the messages of such a request, whatever its sender is told. */
export function accepts(name: FaultName): boolean {
  return /after accepting|answer$|short body|slow/.test(name) && name !== 'no answer'
}
