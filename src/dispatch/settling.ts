import type { Database } from '../database'
import type { Events } from '../events'
import type { Verdict } from '../segment/verdict'
import { reached } from '../steps'
import { type BackoffOptions, backoffMs } from './backoff'
import type { Batch } from './batch'
import { insist } from './insist'
import type { Lease } from './lease'
import type { LowWaterMark } from './low-water-mark'
import type { Page } from './next-messages'
import { type AttemptEnd, closeBatch, type Outcome, postponeBatch, restSource, splitBatch } from './settle'

export interface SettlingParts {
  readonly db: Database
  readonly events: Events
  readonly options: { readonly leaseMs: number; readonly backoff: BackoffOptions }
}

/** What a turn did, added up by `drain()`. */
export interface TurnReport {
  requests: number
  delivered: number
  dead: number
  uncertain: number
  /** Rests after a failure. */
  postponed: number
  /** Whether the source probably has more to send now. */
  more: boolean
  /** Whether the lease is given back already: it has sent all that its last read found, or gives way to others. */
  released: boolean
  /** How long it gives way for, in milliseconds. */
  restMs: number
}

/** What is left to do for a source when one of its batches has come to an end. */
export interface Ended {
  /** Whether the turn goes on. */
  readonly goOn: boolean
  /** Whether other batches are open: they come first. */
  readonly open: boolean
  /** What was written ahead, and goes out at once. */
  readonly next?: Batch
}

/** Writes down what became of one turn's batches, and of their source; reports it. Throws LeaseLostError. */
export class Settling {
  readonly report: TurnReport = {
    requests: 0,
    delivered: 0,
    dead: 0,
    uncertain: 0,
    postponed: 0,
    more: false,
    released: false,
    restMs: 0,
  }
  /** When the lease ends unless it is renewed, on the clock of `performance.now()`; never too late. */
  leaseEnds = 0
  #failures: number

  constructor(
    private readonly parts: SettlingParts,
    private readonly lease: Lease,
    private readonly mark: LowWaterMark,
    private readonly signal: AbortSignal,
  ) {
    this.#failures = lease.failures
  }

  /**
   * The batch and its messages have come to their end. Gives the lease back where the source has sent all it had.
   *
   * @param end `ahead`: what to send next; `release`: give the lease back in any case
   */
  async close(
    batch: Batch,
    outcome: Outcome,
    end: { reason?: string; attempt?: AttemptEnd; ahead?: Page; release?: boolean },
  ): Promise<Ended> {
    const { db, options } = this.parts
    const { reason, attempt, ahead } = end
    const settledThrough = this.mark.settled(batch.page?.settledThrough)
    const release = end.release || batch.page?.more === false
    const leaseEnds = performance.now() + options.leaseMs
    if (ahead) reached('batch:before')
    reached('settle:before')
    if (release) reached('release:before')
    const { leaseMs } = options
    const given = { outcome, reason, attempt, settledThrough, leaseMs, ahead, release }
    const closed = await this.#insist(() => closeBatch(db, this.lease, batch, given))
    this.leaseEnds = leaseEnds
    reached('settle:after')
    if (release) {
      reached('release:after')
      this.report.released = true
      this.report.more = closed.due
    }
    if (closed.next) reached('batch:after')
    if (outcome === 'delivered' || outcome === 'dead') this.#failures = 0
    if (outcome !== 'discarded') this.report[outcome] += closed.settled
    if (closed.settled > 0) this.#tell(batch, closed.settled, outcome, reason)
    return { goOn: !release, open: closed.more, next: closed.next }
  }

  /** Segment refused it: its halves go out one after the other. */
  async split(batch: Batch, attempt: AttemptEnd): Promise<Ended> {
    this.#failures = 0
    reached('split:before')
    await this.#insist(() => splitBatch(this.parts.db, this.lease, batch, attempt))
    reached('split:after')
    return { goOn: true, open: true }
  }

  /** The batch stays open, and the source rests. */
  async postpone(
    batch: Batch,
    verdict: Exclude<Verdict, { kind: 'accepted' | 'refused-message' }>,
    attempt: AttemptEnd,
  ): Promise<Ended> {
    const delayMs = backoffMs(verdict, ++this.#failures, this.parts.options.backoff)
    const { reason } = verdict
    const ambiguous = verdict.kind === 'ambiguous'
    reached('postpone:before')
    const given = { attempt, delayMs, reason, ambiguous }
    await this.#insist(() => postponeBatch(this.parts.db, this.lease, batch, given))
    reached('postpone:after')
    this.#tellResting(delayMs, reason)
    return { goOn: false, open: true }
  }

  /** Nothing can be sent for the source now, and no batch is touched: it rests. */
  async rest(reason: string, kind: 'refused-source' | 'unreachable' = 'refused-source'): Promise<void> {
    const delayMs = backoffMs({ kind, reason }, ++this.#failures, this.parts.options.backoff)
    await restSource(this.parts.db, this.lease, delayMs, reason)
    this.#tellResting(delayMs, reason)
  }

  #insist<Result>(statement: () => Promise<Result>): Promise<Result> {
    const failed = (error: unknown) => this.parts.events.emit('error', { error, during: 'turn' })
    return insist(statement, this.leaseEnds, this.signal, failed)
  }

  #tell({ batchId }: Batch, messages: number, outcome: Outcome, reason?: string): void {
    const { sourceId, portalId } = this.lease
    this.parts.events.emit('settled', { sourceId, portalId, batchId, messages, outcome, reason })
  }

  #tellResting(delayMs: number, reason: string): void {
    const { sourceId, portalId } = this.lease
    this.report.postponed++
    this.parts.events.emit('resting', { sourceId, portalId, failures: this.#failures, delayMs, reason })
  }
}
