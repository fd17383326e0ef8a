import type {
  Attempt,
  AuditAction,
  BatchOutcome,
  MessageStatus,
  MessageType,
  Region,
  SourceStatus,
  Verification,
} from '../../../entities'

/** What the whole outbox looks like at this moment. Counts are exact up to `COUNT_LIMIT`, and then at least that. */
export interface Overview {
  /** The database's clock. */
  readonly at: Date
  readonly pending: number
  /** Age of the oldest pending message of an enabled source, in milliseconds; null where nothing waits. */
  readonly lagMs: number | null
  readonly dead: number
  readonly uncertain: number
  readonly discarded: number
  /** Delivered messages that are still kept, as the planner estimates them. */
  readonly deliveredEstimate: number
  readonly sources: { readonly enabled: number; readonly paused: number; readonly disabled: number }
  readonly dispatchers: readonly DispatcherState[]
}

/** A process that dispatches, by its own heartbeat. */
export interface DispatcherState {
  /** Host, process id and a random part, as the leases show it. */
  readonly owner: string
  readonly startedAt: Date
  readonly lastTickAt: Date
  /** Longest time between two ticks of its schedule, in milliseconds. */
  readonly intervalMs: number
  /** Version of this module in that process. */
  readonly version: string
  /** Whether it has ticked within three of its intervals, or within the last 15 seconds. */
  readonly alive: boolean
  /** Sources that it holds a lease of at this moment. */
  readonly leases: number
}

/**
 * What happened in one span of time, from the history of sends: batches that were settled between `from` and `to` or
 * are still open, the newest `ACTIVITY_LIMIT` of them. Of those, an attempt counts in the span that it ended in.
 */
export interface ActivityPoint {
  /** Start of the span. */
  readonly at: Date
  readonly delivered: number
  readonly dead: number
  readonly uncertain: number
  /** Requests that had an end in it, and how many of them were not accepted. */
  readonly requests: number
  readonly failedRequests: number
  /** Duration of its requests in milliseconds; null where there was none. */
  readonly p50Ms: number | null
  readonly p95Ms: number | null
  /**
   * Most messages that waited, and the longest that the oldest of an enabled source had, in milliseconds (0 where none
   * did): the largest of the samples that dispatchers take once a minute and keep for 8 days. Null where there is no
   * sample, and for one source: they are of the whole outbox.
   */
  readonly backlog: number | null
  readonly lagMs: number | null
}

export interface ActivityOptions {
  from: Date
  to: Date
  /** Number of spans, 1 to 500. Default 60. */
  points?: number
  sourceId?: string
}

/** A source with its run-time state and its backlog. Its counts are exact up to `SOURCE_COUNT_LIMIT`. */
export interface SourceState {
  readonly sourceId: string
  readonly portalId: string
  readonly region: Region
  readonly status: SourceStatus
  readonly detailedEvents: boolean
  readonly verification: Verification
  readonly verifiedAt: Date | null
  readonly writeKeyLastFour: string
  readonly pending: number
  readonly lagMs: number | null
  readonly dead: number
  readonly uncertain: number
  readonly failures: number
  readonly resumeAt: Date | null
  readonly lastError: string | null
  readonly lastDeliveredAt: Date | null
  readonly lastFailedAt: Date | null
  readonly leaseOwner: string | null
  readonly leaseExpiresAt: Date | null
  /** What is known of its warehouse; null where no warehouse is saved for it. */
  readonly warehouse: SourceWarehouse | null
  /** In one word: how it does. `failing` rests after failures; `behind` has a backlog that is not being worked off. */
  readonly health: SourceHealth
  /** In plain words: how it does, and what to do, if anything. */
  readonly summary: string
  readonly remedy: string | null
}

/** A source's warehouse, without the address that holds its password. */
export interface SourceWarehouse {
  readonly schema: string
  readonly lagHours: number
  readonly canaryMinutes: number | null
  /** When it was last compared to the end, and how many delivered messages were missing then. */
  readonly reconciledAt: Date | null
  readonly missing: number
  /** Since when the canary that should be in the warehouse is not; null while it arrives. */
  readonly canaryLostSince: Date | null
}

/**
 * `refused`: Segment takes nothing of it; or it takes everything and keeps nothing, as it does for an unknown write key,
 * and as it seems where a canary did not reach the warehouse.
 */
export type SourceHealth = 'healthy' | 'behind' | 'failing' | 'refused' | 'paused' | 'disabled'

export interface SourceFilter {
  portalId?: string
  sourceId?: string
  health?: SourceHealth
  /** At most this many, those in the most trouble first; 1 to 1000. Default 100. */
  limit?: number
}

/** Which messages to show. All that is given has to match. */
export interface MessageFilter {
  portalId?: string
  sourceId?: string
  /** A user ID or an anonymous ID. */
  who?: string
  event?: string
  type?: MessageType
  status?: MessageStatus
  /** Exactly these, at most 1000. */
  messageIds?: readonly string[]
  /** Recorded at this moment or later. */
  recordedFrom?: Date
  /** Recorded before this moment. */
  recordedTo?: Date
}

export interface PageOptions {
  /** `next` of the page before. Throws OperationError for any other text. */
  after?: string
  /** 1 to 500. Default 50. */
  limit?: number
}

/** Newest first. */
export interface MessagePage {
  readonly messages: readonly MessageRow[]
  /** Pass as `after` for the next page; undefined on the last. */
  readonly next: string | undefined
  /**
   * The page ended at the bound of rows that one look may read, before it was full: `next` goes on from there. A rare
   * event in a large table needs several looks, none of which holds up the database.
   */
  readonly partial: boolean
}

export interface MessageRow {
  readonly messageId: string
  readonly recordedAt: Date
  readonly settledAt: Date | null
  /** When its user's data was erased from it; null where it was not. */
  readonly erasedAt: Date | null
  readonly sourceId: string
  readonly portalId: string
  readonly type: MessageType
  readonly event: string | null
  readonly who: string | null
  readonly status: MessageStatus
  readonly reason: string | null
}

/** All that is known of one message. */
export interface MessageDetail extends MessageRow {
  readonly seq: string
  readonly userId: string | null
  readonly anonymousId: string | null
  readonly occurredAt: Date
  readonly wireBytes: number
  readonly schemaHash: string | null
  readonly traceParent: string | null
  readonly body: Record<string, unknown>
  readonly source: SourceState | undefined
  readonly batch: BatchDetail | undefined
  readonly timeline: readonly TimelineEntry[]
  readonly explanation: Explanation
}

export interface BatchDetail {
  readonly batchId: string
  readonly parentId: string | null
  readonly createdAt: Date
  readonly settledAt: Date | null
  readonly attemptStartedAt: Date | null
  readonly firstAmbiguousAt: Date | null
  /** When all its messages had been found in the portal's warehouse. */
  readonly confirmedAt: Date | null
  readonly outcome: BatchOutcome | null
  readonly messages: number
  readonly wireBytes: number
  readonly attemptCount: number
  readonly attempts: readonly Attempt[]
}

/** One thing that happened to a message, in order of time. */
export interface TimelineEntry {
  readonly at: Date
  readonly kind:
    | 'occurred'
    | 'recorded'
    | 'batched'
    | 'split'
    | 'attempt'
    | 'in-flight'
    | 'settled'
    | 'operation'
    | 'confirmed'
  /** In plain words. */
  readonly text: string
  readonly attempt?: Attempt
}

/** Why a message is in its state. */
export interface Explanation {
  /** One sentence: why it is in this state. */
  readonly why: string
  /** One sentence: what to do next. */
  readonly next: string
  /** What an operator may do with it now. */
  readonly actions: readonly MessageAction[]
}

export type MessageAction = 'send-again' | 'mark-delivered' | 'discard'

/** Dead or uncertain messages with the same cause, among the `FAILURE_LIMIT` most recently recorded of each status. */
export interface FailureGroup {
  readonly status: 'dead' | 'uncertain'
  readonly sourceId: string
  readonly portalId: string
  readonly event: string | null
  readonly type: MessageType
  readonly reason: string
  readonly messages: number
  /** When the first and the last of them reached their end. */
  readonly firstAt: Date
  readonly lastAt: Date
  /** One message of it, to look at. */
  readonly example: string
}

/** What an operation on a selection would find. Counts are exact up to `COUNT_LIMIT`. */
export interface Preview {
  /** Dead, and known never accepted: may be sent again. */
  readonly refused: number
  /** Uncertain, or dead after an attempt whose outcome nobody knows: need a choice. */
  readonly inDoubt: number
  /** Dead because they could never be sent: may only be discarded. */
  readonly diverted: number
  readonly pending: number
  /** No operation changes these two: exact up to `SOURCE_COUNT_LIMIT` only. */
  readonly delivered: number
  readonly discarded: number
}

export interface AuditEntry {
  readonly auditId: string
  readonly at: Date
  readonly actor: string
  readonly action: AuditAction
  readonly reason: string
  readonly messages: number
  readonly sourceId: string | null
  readonly selection: Record<string, unknown>
}

/** What `doctor` found. */
export interface Finding {
  /** Stable name of the check, such as `no-dispatcher`. */
  readonly check: string
  readonly severity: 'ok' | 'notice' | 'problem'
  /** What is the case. */
  readonly found: string
  /** Why it matters. Empty where all is well. */
  readonly matters: string
  /** What to do. Empty where all is well. */
  readonly remedy: string
}

/** For load balancers and alerting. */
export interface Health {
  readonly status: 'ok' | 'attention' | 'unavailable'
  readonly problems: readonly string[]
  readonly pending: number | null
  readonly lagMs: number | null
  /** Whether this process dispatches, and when it last looked for work. */
  readonly dispatching: boolean
  readonly lastTickAt: Date | null
}

/** Counting stops here: a page must not take longer with the backlog. */
export const COUNT_LIMIT = 1_000_000
/** Counting of one source's messages stops here. */
export const SOURCE_COUNT_LIMIT = 10_000
/** Batches that one plot is made of at most. */
export const ACTIVITY_LIMIT = 100_000
/** Dead or uncertain messages that are grouped by cause at most. */
export const FAILURE_LIMIT = 100_000
