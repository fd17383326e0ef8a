import type { MessageType } from '../../entities'
import type { OutboxError } from '../errors'

/** Counts of one comparison. Every message of the period is in exactly one of the first four. */
export interface Counts {
  /** In the warehouse; found now, or by an earlier comparison. */
  confirmed: number
  /** Delivered longer ago than the lag allowance, and not in the warehouse. */
  missing: number
  /** Not in the warehouse, and not expected to be yet. */
  awaited: number
  /**
   * Parked as uncertain longer ago than the lag allowance, and not in the warehouse, which has younger rows: safe to
   * send again.
   */
  absent: number
  /** Rows of the warehouse that this outbox has not delivered. */
  unexpected: number
  /** Messages that are in the warehouse more than once. Looked for until they are confirmed. */
  duplicated: number
}

/** The counts of one event, or of one type of call without a name, on one day of delivery (UTC). */
export interface ComparedDay extends Counts {
  readonly type: MessageType
  readonly event: string | null
  /** `2026-11-23`. */
  readonly day: string
}

/**
 * What probably became of missing messages.
 *
 * `not-loaded-yet`: younger than the lag allowance. `key-or-region`: nothing of the source arrived for a while.
 * `plan-block`: one event is missing while others of the same time arrived. `oversize-batch`: whole batches are missing,
 * each larger than any that arrived. `dropped-as-duplicate`: sent again inside the dedup window, and still not there.
 * `unknown`: none of these.
 */
export type GapCause =
  | 'not-loaded-yet'
  | 'key-or-region'
  | 'plan-block'
  | 'oversize-batch'
  | 'dropped-as-duplicate'
  | 'unknown'

/** Missing messages with the same likely cause. */
export interface Gap {
  readonly cause: GapCause
  /** Set where the gap is one event's. */
  readonly type?: MessageType
  readonly event?: string | null
  readonly messages: number
  /** How many of them may be sent again without being doubled: Segment still knows their ids. */
  readonly insideWindow: number
  /** When the first and the last of them were delivered. */
  readonly firstAt: Date
  readonly lastAt: Date
  /** Some of them, to look at. */
  readonly examples: readonly string[]
  /** What is the case, and what to do, in plain words. */
  readonly explanation: string
  readonly remedy: string
}

/** One source compared with its warehouse. */
export interface SourceComparison extends Counts {
  readonly sourceId: string
  readonly portalId: string
  readonly schema: string
  /** The newest row of the warehouse; null where it has none. */
  readonly loadedThrough: Date | null
  /** Uncertain messages that were found, and so are delivered. */
  readonly resolved: number
  /** Messages that are to be sent again, because it was asked for. */
  readonly sentAgain: number
  readonly days: readonly ComparedDay[]
  readonly gaps: readonly Gap[]
  /** Why the comparison of this source ended early. What it confirmed before is kept; run it again. */
  readonly error?: OutboxError
}

/** How many of a source's missing messages may be sent again without being doubled. */
export function safeToSend({ gaps }: SourceComparison): number {
  return gaps.reduce(
    (sum, { cause, insideWindow }) => (cause === 'not-loaded-yet' ? sum : sum + insideWindow),
    0,
  )
}

export interface ReconcileReport {
  readonly from: Date
  readonly to: Date
  readonly sources: readonly SourceComparison[]
  /** Everything was compared, nothing is missing, unexpected or doubled. */
  readonly agrees: boolean
}

function noCounts(): Counts {
  return { confirmed: 0, missing: 0, awaited: 0, absent: 0, unexpected: 0, duplicated: 0 }
}

/** Adds up counts by event and day, and over all of them. */
export class Tally {
  readonly total = noCounts()
  readonly #days = new Map<string, ComparedDay>()

  add(call: { type: MessageType; event: string | null }, day: string, what: keyof Counts, n = 1): void {
    const key = JSON.stringify([day, call.type, call.event])
    const compared = this.#days.get(key) ?? { type: call.type, event: call.event, day, ...noCounts() }
    this.#days.set(key, compared)
    compared[what] += n
    this.total[what] += n
  }

  get days(): ComparedDay[] {
    return [...this.#days.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, compared]) => compared)
  }
}
