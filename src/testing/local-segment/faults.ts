import type { Region, SegmentMessage } from './messages'

/**
 * What can go wrong between a sender and Segment, on order.
 *
 * `accepted` says whether the events of the request reach the workspace although the sender is told otherwise;
 * each fault's default is in its comment. Nothing is accepted of a request that Segment itself would refuse.
 */
export type SegmentFault =
  /** Any final status (200 to 599), e.g. 429 with `Retry-After` in seconds or as an HTTP date. Not accepted. */
  | {
      kind: 'status'
      status: number
      body?: string | object
      headers?: Record<string, string>
      accepted?: boolean
    }
  /** Never answers; the connection stays open. Not accepted. */
  | { kind: 'timeout'; accepted?: boolean }
  /** Accepted at once, answered as usual after `ms` milliseconds. */
  | { kind: 'delay'; ms: number }
  /** The connection is reset when the headers have arrived. Never accepted; the body is never read. */
  | { kind: 'reset-before-read' }
  /** Accepted, and then the connection is reset without an answer. */
  | { kind: 'reset-after-accept' }
  /** Accepted, status 200 and half of the body are sent, and then the connection is cut. */
  | { kind: 'reset-mid-response' }
  /** A redirect. Not accepted. */
  | { kind: 'redirect'; status: 301 | 302 | 303 | 307 | 308; location: string }
  /** 200 with `{"success":false}`. Not accepted. */
  | { kind: 'success-false'; accepted?: boolean }
  /** 200 with an HTML page, as a captive proxy answers. Not accepted. */
  | { kind: 'garbage-body'; accepted?: boolean }
  /** 200 with no body. Not accepted. */
  | { kind: 'empty-body'; accepted?: boolean }
  /** 200 and its headers at once, half of the body, and then nothing more; the connection stays open. Accepted. */
  | { kind: 'slow-body'; accepted?: boolean }
  /** 200 with a whole `{"success":true}`, but `Content-Length` promised more when the connection closes. Accepted. */
  | { kind: 'truncated-body'; accepted?: boolean }
  /** 400 for any request that holds a message for which `predicate` is true; other requests are untouched. */
  | { kind: 'poison'; predicate: (message: SegmentMessage) => boolean }
  /**
   * The host is down: nothing listens, new connections get ECONNREFUSED. Idle connections are closed; requests
   * under way are answered and their connections closed. The port is taken again when the fault is cleared, or
   * by itself after `forMs` milliseconds. `region` limits it to one host. Takes no other options.
   */
  | { kind: 'refuse-connections'; region?: Region; forMs?: number }

/** A fault that happens to single requests. */
export type RequestFault = Exclude<SegmentFault, { kind: 'refuse-connections' }>

const ACCEPTED_BY_DEFAULT: ReadonlySet<SegmentFault['kind']> = new Set([
  'delay',
  'reset-after-accept',
  'reset-mid-response',
  'slow-body',
  'truncated-body',
])

/** Whether the events of a request reach the workspace in spite of `fault`. */
export function acceptsEvents(fault: RequestFault): boolean {
  const ordered = 'accepted' in fault ? fault.accepted : undefined
  return ordered ?? ACCEPTED_BY_DEFAULT.has(fault.kind)
}
