import type { FaultHandle, FaultOptions } from './fault-options'
import type { RequestFault, SegmentFault } from './faults'
import type { ArrivedMessage, DiscardedMessage, DiscardReason, MessageFilter, Region } from './messages'
import type { ReceivedRequest } from './requests'
import type { MessageCounts } from './tally'
import type { WarehouseOptions } from './warehouse/warehouse'

export interface LocalSegmentOptions {
  /** Port of the US host. Default: 0, any free port. */
  port?: number
  /** Port of the EU host. Default: 0, any free port. */
  euPort?: number
  /** Write keys known from the start, all of region `us`. Default: none, so every event is discarded. */
  writeKeys?: readonly string[]
  /** Milliseconds for which a messageId is remembered. Default: 24 hours. */
  dedupWindowMs?: number
  /** False lets duplicates through, to show that a sender does not rely on Segment for them. Default: true. */
  dedup?: boolean
  /** Milliseconds since the epoch; the clock of `receivedAt`, of the dedup window and of the rate limit. */
  now?: () => number
  /** Milliseconds between accepting a request and answering it. Default: 0. */
  responseDelayMs?: number
  /** Requests per second and workspace; beyond: 429. Default: no limit. */
  rateLimit?: { requestsPerSecond: number }
  /**
   * `all` remembers every message and request; `counts` only the counts, the last 1,000 requests and, for the
   * dedup window, the ids. For benchmarks and long runs. Default: `all`.
   */
  keep?: 'all' | 'counts'
  /** Lays accepted messages out as Segment's warehouse does. Default: none. */
  warehouse?: WarehouseOptions
  /** Events in one batch; a longer one is answered 200 and dropped. Default: Segment's 2,500. */
  maxBatchEvents?: number
}

export interface LocalSegmentSummary extends MessageCounts {
  requests: {
    /** Requests answered, cut or left without an answer so far. */
    total: number
    /** By status sent; `unanswered` for connections that ended without any. */
    byStatus: Record<string, number>
  }
}

/** Counts that must be reached, or a condition that is asked again after everything that happens. */
export type WaitCondition =
  | { accepted?: number; duplicates?: number; discarded?: number; requests?: number }
  | ((segment: LocalSegment) => boolean)

/** A Segment of one's own on loopback: the documented tracking API, its limits, and its faults on order. */
export interface LocalSegment {
  /** Base URL of the US host and of the settings host, without a trailing slash. */
  readonly url: string
  /** Base URL of the EU host. */
  readonly euUrl: string
  readonly port: number
  readonly euPort: number

  /**
   * Makes a write key known. Default: region `us`, workspace `default`; the write key itself as the source's name,
   * which its schema in the warehouse is made from.
   */
  addWriteKey(writeKey: string, source?: { region?: Region; workspace?: string; source?: string }): void
  /** Revokes a write key: its events are answered 200 and dropped, its settings 404. */
  removeWriteKey(writeKey: string): void
  /** A Protocols block: track calls of that name are answered 200 and vanish. */
  blockEvent(event: string): void
  /** Lifts the block. Ids that arrived under it stay used for the dedup window. */
  unblockEvent(event: string): void

  /**
   * What reached the workspaces, in order of arrival.
   * This and the next two throw with `keep: 'counts'`.
   */
  accepted(filter?: MessageFilter): ArrivedMessage[]
  /** Arrivals that deduplication dropped. */
  duplicates(filter?: MessageFilter): ArrivedMessage[]
  /** What was answered 200 and then dropped, with the reason. */
  discarded(filter?: MessageFilter & { reason?: DiscardReason }): DiscardedMessage[]
  /** Every request in order of arrival, those under way included. */
  requests(): ReceivedRequest[]
  summary(): LocalSegmentSummary

  /** The schema of a write key's source in the warehouse. Throws for a key that is not known. */
  schemaOf(writeKey: string): string
  /** Loads into the warehouse what was accepted since the last load. Throws without a warehouse. */
  loadWarehouse(): Promise<void>

  /**
   * Resolves as soon as the condition holds.
   * @throws Error naming the condition and the state if it does not within `timeoutMs` (default 10,000), or if
   * the server is closed before
   */
  waitFor(condition: WaitCondition, options?: { timeoutMs?: number }): Promise<void>

  /**
   * Orders a fault, or a sequence of which each matching request gets the next one.
   * @throws TypeError if `refuse-connections` is given options: it happens to the host, not to requests
   */
  fault(fault: SegmentFault | readonly RequestFault[], options?: FaultOptions): FaultHandle
  /** Ends all faults; resolves when both hosts listen. Requests that hang stay so. */
  clearFaults(): Promise<void>
  /** Forgets messages, ids, requests, blocks and faults; the write keys stay, and what the warehouse has loaded. */
  reset(): Promise<void>
  /** Destroys every connection and resolves when nothing is left: no port, no socket, no timer. */
  close(): Promise<void>
}
