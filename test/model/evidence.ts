import type { Choices } from './choices'

/**
 * What a run leaves behind, as plain data: what should be (`facts`, noted by the model as it committed them), what the
 * database holds, and what was seen on the wire. Nothing here comes from the code under test but the rows themselves.
 */
export interface Evidence {
  /** Milliseconds for which a message may be sent again. */
  readonly windowMs: number
  readonly facts: readonly Fact[]
  readonly sources: readonly SourceState[]
  readonly rows: readonly MessageRow[]
  readonly batches: readonly BatchRow[]
  /** Requests that reached the local Segment, in order of arrival. */
  readonly requests: readonly WireRequest[]
  /** What the local Segment accepted, in order of arrival; more than once where its own window had passed. */
  readonly accepted: readonly AcceptedMessage[]
  readonly flights: readonly Flight[]
  readonly settlements: readonly Settlement[]
  readonly choices: Choices
}

/** Something that was recorded in a transaction that committed. */
export interface Fact {
  readonly messageId: string
  readonly sourceId: string
  /** What identifies the fact for good; undefined for calls that have no natural key. */
  readonly name?: { readonly event: string; readonly key: string }
  /** `poison` is refused by Segment, `bad` cannot be sent at all. */
  readonly kind: 'good' | 'poison' | 'bad'
  /** Moments of the model's own clock: when its transaction had not yet begun, and when it had committed. */
  readonly began: number
  readonly committed: number
  /** A moment after the commit, on the database's clock, in milliseconds. */
  readonly visibleAt: number
}

export interface SourceState {
  readonly sourceId: string
  readonly portalId: string
  readonly status: 'enabled' | 'paused' | 'disabled'
}

export interface MessageRow {
  readonly messageId: string
  readonly sourceId: string
  readonly portalId: string
  readonly seq: number
  readonly status: 'pending' | 'delivered' | 'dead' | 'uncertain' | 'discarded'
  readonly reason: string | null
  readonly batchId: number | null
}

export interface BatchRow {
  readonly batchId: number
  readonly parentId: number | null
  readonly sourceId: string
  readonly messageIds: readonly string[]
  readonly outcome: string | null
  /** Start of the first attempt on the database's clock, in milliseconds; null where there was none. */
  readonly firstAttemptAt: number | null
  /** From the first possible acceptance to the end of the batch, in milliseconds. */
  readonly ambiguousMs: number | null
  readonly verdicts: readonly string[]
}

export interface WireRequest {
  /** In milliseconds, on the clock that the model moves forward. */
  readonly at: number
  readonly sourceId: string | undefined
  readonly messageIds: readonly string[]
  readonly status: number | undefined
  readonly fault: string | undefined
  readonly cut: boolean
}

export interface AcceptedMessage {
  readonly messageId: string
  readonly sourceId: string | undefined
  readonly key: string | undefined
}

/** One request as its sender saw it: which process and lease it belonged to, and from when to when it was out. */
export interface Flight {
  readonly process: string
  readonly sourceId: string
  readonly token: string
  readonly from: number
  readonly to: number
}

/** A statement that was told that its lease is still held, and the latest lease that had been taken when it went out. */
export interface Settlement {
  readonly sourceId: string
  readonly token: bigint
  readonly latest: bigint
}
