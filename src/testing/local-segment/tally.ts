import type { DiscardReason } from './messages'

/** Running counts of messages, kept also where the messages are not. */
export class Tally {
  accepted = 0
  duplicates = 0
  discarded = 0
  readonly #byType = new Map<string, number>()
  readonly #byEvent = new Map<string, number>()
  readonly #byWriteKey = new Map<string, number>()
  readonly #byReason = new Map<DiscardReason, number>()

  countAccepted(type: string, event: string | undefined, writeKey: string): void {
    this.accepted++
    increment(this.#byType, type)
    if (event !== undefined) increment(this.#byEvent, event)
    increment(this.#byWriteKey, writeKey)
  }

  countDiscarded(reason: DiscardReason): void {
    this.discarded++
    increment(this.#byReason, reason)
  }

  /** The counts as plain objects. */
  toSummary(): MessageCounts {
    return {
      accepted: this.accepted,
      duplicates: this.duplicates,
      discarded: this.discarded,
      byType: Object.fromEntries(this.#byType),
      byEvent: Object.fromEntries(this.#byEvent),
      byWriteKey: Object.fromEntries(this.#byWriteKey),
      discardedBy: Object.fromEntries(this.#byReason),
    }
  }
}

/** Messages counted by what became of them. */
export interface MessageCounts {
  accepted: number
  duplicates: number
  discarded: number
  /** Accepted messages by call. */
  byType: Record<string, number>
  /** Accepted track calls by event name. */
  byEvent: Record<string, number>
  /** Accepted messages by write key. */
  byWriteKey: Record<string, number>
  discardedBy: Partial<Record<DiscardReason, number>>
}

function increment<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
