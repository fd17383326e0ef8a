import type { EntityManager } from 'typeorm'
import type { EventName, EventProperties, Plan } from '../../plan/define-plan'
import type { Identity } from '../../record/calls'

/** A fact from the application's own tables, as the call that would have recorded it when it happened. */
export type BackfillFact<P extends Plan, E extends EventName<P>> = Identity & {
  /** When it happened. Has to be within the range that is asked for. */
  timestamp: Date
  /** Where reading goes on after this fact. Any text; the reader alone understands it. */
  cursor: string
  properties: EventProperties<P, E>
  context?: Record<string, unknown>
  integrations?: Record<string, boolean | Record<string, unknown>>
}

/** What a reader is asked for: the next facts of one portal. */
export interface BackfillPage {
  readonly portalId: string
  /** Facts at this moment or later. */
  readonly from: Date
  /** Facts before this moment. */
  readonly to: Date
  /** Facts after this cursor, in the reader's own order; null: the first ones. */
  readonly after: string | null
  /** How many facts, at most. */
  readonly limit: number
  /** Of the transaction that the facts are recorded in. */
  readonly manager: EntityManager
}

/**
 * Reads the history of one event, page by page: facts that happened within the range, after the cursor, in an order that
 * stays what it is (by primary key is best), up to `limit`. No facts ends the backfill, and nothing else does.
 */
export type ReadFacts<P extends Plan, E extends EventName<P>> = (
  page: BackfillPage,
) => Promise<readonly BackfillFact<P, E>[]>

/** The readers of an application, by event. An event without one cannot be backfilled. */
export type Backfills<P extends Plan> = { readonly [E in EventName<P>]?: ReadFacts<P, E> }

export interface BackfillOptions {
  /** The portal whose history it is. It has to be connected. */
  portalId: string
  /** Default: the beginning. */
  from?: Date
  /** Default, and the latest there is: when the portal was connected. Since then its events are recorded live. */
  to?: Date
  /** Facts a second, 1 to 10,000. Default 500. */
  rate?: number
  /** Facts in one transaction, 1 to 1000. Default 250. */
  pageSize?: number
  /**
   * Goes on only while fewer messages than this wait for the source, 1 to 100,000. What is recorded live waits behind
   * at most these and one page. Default 500: two requests.
   */
  maxPending?: number
  /** Ends it after the page at hand. Calling it again with the same range goes on from there. */
  signal?: AbortSignal
  /** Told after each page, and when it begins to wait. */
  onProgress?: (progress: BackfillProgress) => void
}

/** How far a range is. Counts are of all its runs. */
export interface BackfillReport {
  readonly sourceId: string
  readonly event: string
  readonly from: Date
  readonly to: Date
  /** Messages that will be sent. */
  readonly recorded: number
  /** Facts that had a message already. */
  readonly duplicates: number
  /** Facts that cannot be sent; each is stored dead with its reason. */
  readonly diverted: number
  /** Whether the range is done. Otherwise the same call goes on with it. */
  readonly finished: boolean
}

export interface BackfillProgress extends BackfillReport {
  /** `waiting`: for messages of the source to be sent, before more are recorded. */
  readonly state: 'recorded' | 'waiting' | 'finished'
  /** When the last fact of the page happened. */
  readonly at?: Date
}
