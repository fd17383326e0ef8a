import type { Database } from '../database'
import { LeaseLostError } from '../errors'
import type { Events } from '../events'
import type { Credentials, Prepared, Sender } from '../segment/sender'
import { judge, type Verdict } from '../segment/verdict'
import type { WriteKeyCipher } from '../sources/write-key-cipher'
import { reached } from '../steps'
import { AttemptSpan } from '../telemetry/attempt-span'
import { type BackoffOptions, backoffMs } from './backoff'
import { type Batch, type BatchLimits, openBatch, resumeBatch } from './batch'
import type { GivingWay } from './giving-way'
import { insist } from './insist'
import type { Lease } from './lease'
import type { LowWaterMark } from './low-water-mark'
import { type Page, readAhead } from './next-messages'
import { type AttemptEnd, closeBatch, postponeBatch, restSource, splitBatch } from './settle'

export interface TurnOptions extends BatchLimits {
  /** How long a source may go on before others get their turn, in milliseconds. */
  readonly turnMs: number
  /** For how long after the first moment Segment may have accepted a batch it may be sent again, in milliseconds. */
  readonly dedupWindowMs: number
  /** Longest a request may take, in milliseconds; it never starts under a lease that could end before it. */
  readonly timeoutMs: number
  readonly backoff: BackoffOptions
}

export interface TurnParts {
  readonly db: Database
  readonly sender: Sender
  readonly cipher: WriteKeyCipher
  readonly events: Events
  readonly givingWay: GivingWay
  readonly options: TurnOptions
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
  /** Whether it has sent all that its last read found, and given the lease back. */
  emptied: boolean
}

/**
 * One source's turn: batch after batch, one request at a time, until nothing waits, the source has to rest, or its
 * time is over. Between statements no connection is held. Throws what a statement failed with; the source rests then.
 *
 * While a request is out, the messages after it are read and laid out; the statement that settles the batch writes them
 * ahead, and they can go at once.
 */
export async function takeTurn(
  parts: TurnParts,
  lease: Lease,
  mark: LowWaterMark,
  signal: AbortSignal,
): Promise<TurnReport> {
  const turn = new Turn(parts, lease, mark, signal)
  try {
    const credentials = turn.credentials()
    let goOn: boolean
    do {
      goOn = await turn.next(credentials)
      if (goOn) await turn.giveWay()
    } while (goOn && turn.hasTime)
    turn.report.more ||= goOn
  } catch (error) {
    if (!(error instanceof LeaseLostError)) throw await turn.restAfter(error)
    parts.events.emit('leaseLost', {
      sourceId: lease.sourceId,
      portalId: lease.portalId,
      token: lease.token,
    })
  }
  return turn.report
}

/** What was read while a request was out. */
interface Ahead {
  readonly page: Page
  readonly prepared: Prepared
}

class Turn {
  readonly report: TurnReport = {
    requests: 0,
    delivered: 0,
    dead: 0,
    uncertain: 0,
    postponed: 0,
    more: false,
    emptied: false,
  }
  readonly #ends: number
  #failures: number
  #open: boolean
  /** Written ahead by the statement that settled the last batch, and not sent yet. */
  #written: { batch: Batch; prepared: Prepared | undefined } | undefined
  /** When the last batch was begun, and how long its request was out. */
  #begun = 0
  #requestMs = 0
  /** Whether a read of this turn has found anything. */
  #found = false
  /** When the lease ends unless it is renewed, on the clock of `performance.now()`; never too late. */
  #leaseEnds = 0

  constructor(
    private readonly parts: TurnParts,
    private readonly lease: Lease,
    private readonly mark: LowWaterMark,
    private readonly signal: AbortSignal,
  ) {
    this.#ends = performance.now() + parts.options.turnMs
    this.#failures = lease.failures
    this.#open = lease.hasOpenBatch
  }

  /** The write key decrypted, or the reason why it is not: that source rests and keeps its messages. */
  credentials(): Credentials | Error {
    const { sourceId, region, ciphertext, secretId } = this.lease
    try {
      return { sourceId, region, writeKey: this.parts.cipher.decrypt(sourceId, { ciphertext, secretId }) }
    } catch (error) {
      return error as Error
    }
  }

  /** What is written ahead is sent in any case: its row says that Segment may have it. */
  get hasTime(): boolean {
    return this.#written !== undefined || performance.now() < this.#ends
  }

  /** Between two batches. One that is written ahead does not wait: its row says that Segment may have it. */
  async giveWay(): Promise<void> {
    if (this.#written !== undefined) return
    const now = performance.now()
    const workedMs = now - this.#begun - this.#requestMs
    await this.parts.givingWay.rest(this.lease.sourceId, workedMs, this.#ends - now, this.signal)
  }

  /** Sends one batch and settles it. Returns whether the turn goes on. */
  async next(credentials: Credentials | Error): Promise<boolean> {
    const { options } = this.parts
    this.#begun = performance.now()
    this.#requestMs = 0
    if (credentials instanceof Error) return this.#rest(credentials.message)
    const { batch, prepared } = this.#written ?? { batch: await this.#take() }
    this.#written = undefined
    if (batch === undefined) {
      const retry = this.#open
      this.#open = false
      return retry
    }
    if (batch.messages.length === 0)
      return this.#close(batch, 'discarded', { reason: 'discarded while the batch was open' })
    if (batch.expired) {
      const hours = options.dedupWindowMs / 3_600_000
      const reason = `Segment may have accepted it, and the dedup window of ${hours} h is over: sending again could double it`
      return this.#close(batch, 'uncertain', { reason })
    }
    // Delayed this long, the request could outlive the lease. The batch stays open for the next holder.
    if (performance.now() + options.timeoutMs > this.#leaseEnds) {
      this.#open = true
      return true
    }
    return this.#send(batch, credentials, prepared)
  }

  /** The open batch, or else a new one. */
  async #take(): Promise<Batch | undefined> {
    const { db, options } = this.parts
    if (this.signal.aborted) return undefined
    // The lease is renewed by the statement below, at a moment not before this one.
    this.#leaseEnds = performance.now() + options.leaseMs
    reached('batch:before')
    const batch = this.#open
      ? await resumeBatch(db, this.lease, options, options.dedupWindowMs)
      : await this.#openBatch()
    reached('batch:after')
    return batch
  }

  async #openBatch(): Promise<Batch | undefined> {
    const { db } = this.parts
    const limits = this.#limits
    const batch = await openBatch(db, this.lease, this.mark, limits)
    const suspicious = !this.#found && this.mark.value !== '0'
    this.#found ||= batch !== undefined
    if (batch !== undefined || !suspicious) return batch
    // Nothing above the mark, though the source was due: the mark is only a hint, look from the beginning.
    this.mark.sweep()
    return openBatch(db, this.lease, this.mark, limits)
  }

  get #limits(): BatchLimits {
    const { givingWay, options } = this.parts
    return { ...options, batchMessages: givingWay.messages(this.lease.sourceId, options.batchMessages) }
  }

  async #send(batch: Batch, credentials: Credentials, prepared?: Prepared): Promise<boolean> {
    const { sender, events } = this.parts
    const { sourceId, portalId } = this.lease
    const about = { sourceId, portalId, batchId: batch.batchId, attempt: batch.attempts + 1 }
    const span = new AttemptSpan({ ...about, messages: batch.messages })
    const request = prepared ?? sender.prepare(credentials, batch.messages)
    const sending = span.run(() => request.send())
    const ahead = await this.#readAhead(batch, credentials)
    const seen = await sending
    this.#requestMs = seen.ms
    reached('send:after')
    const verdict = judge(seen)
    const status = seen.kind === 'response' ? { status: seen.status } : {}
    span.end(verdict, status.status)
    const { reason, retryAfterMs } = verdict as { reason?: string; retryAfterMs?: number }
    const attempt: AttemptEnd = { ms: seen.ms, verdict: verdict.kind, ...status, error: reason, retryAfterMs }
    this.report.requests++
    events.emit('attempt', {
      ...about,
      messages: batch.messages.length,
      verdict: verdict.kind,
      ...status,
      reason,
      ms: seen.ms,
    })
    if (verdict.kind === 'accepted') return this.#close(batch, 'delivered', { attempt, ahead })
    return this.#settle(batch, verdict, attempt)
  }

  /** While a batch is out, has what comes after it read and laid out. */
  async #readAhead(batch: Batch, credentials: Credentials): Promise<Ahead | undefined> {
    const { db, options, sender, givingWay } = this.parts
    if (!batch.page?.more || this.signal.aborted || givingWay.isDue(this.lease.sourceId)) return undefined
    try {
      const page = await readAhead(db, this.lease, this.mark, options, batch.page.messages)
      return page && { page, prepared: sender.prepare(credentials, page.messages) }
    } catch {
      return undefined // what is wrong with the database, the statement that settles will tell
    }
  }

  async #settle(
    batch: Batch,
    verdict: Exclude<Verdict, { kind: 'accepted' }>,
    attempt: AttemptEnd,
  ): Promise<boolean> {
    if (verdict.kind !== 'refused-message') return this.#postpone(batch, verdict, attempt)
    this.#failures = 0
    if (batch.messages.length === 1) {
      return this.#close(batch, 'dead', { reason: `Segment refused it: ${verdict.reason}`, attempt })
    }
    reached('split:before')
    await this.#insist(() => splitBatch(this.parts.db, this.lease, batch, attempt))
    reached('split:after')
    this.#open = true
    return true
  }

  async #close(
    batch: Batch,
    outcome: 'delivered' | 'dead' | 'uncertain' | 'discarded',
    { reason, attempt, ahead }: { reason?: string; attempt?: AttemptEnd; ahead?: Ahead },
  ): Promise<boolean> {
    const { db, events, options } = this.parts
    const settledThrough = this.mark.settled(batch.page?.settledThrough)
    const next = this.signal.aborted || !this.hasTime ? undefined : ahead
    const release = batch.page?.more === false
    const leaseEnds = performance.now() + options.leaseMs
    if (next) reached('batch:before')
    reached('settle:before')
    if (release) reached('release:before')
    const { leaseMs } = options
    const given = { outcome, reason, attempt, settledThrough, leaseMs, ahead: next?.page, release }
    const end = await this.#insist(() => closeBatch(db, this.lease, batch, given))
    this.#leaseEnds = leaseEnds
    reached('settle:after')
    if (release) {
      reached('release:after')
      this.report.emptied = true
      this.report.more = end.due
    }
    if (end.next) {
      const whole = end.next.messages === next?.page.messages
      this.#written = { batch: end.next, prepared: whole ? next?.prepared : undefined }
      reached('batch:after')
    }
    this.#open = end.more
    if (outcome === 'delivered' || outcome === 'dead') this.#failures = 0
    if (outcome !== 'discarded') this.report[outcome] += end.settled
    const { sourceId, portalId } = this.lease
    if (end.settled > 0) {
      events.emit('settled', {
        sourceId,
        portalId,
        batchId: batch.batchId,
        messages: end.settled,
        outcome,
        reason,
      })
    }
    return !release
  }

  async #postpone(
    batch: Batch,
    verdict: Exclude<Verdict, { kind: 'accepted' | 'refused-message' }>,
    attempt: AttemptEnd,
  ): Promise<boolean> {
    const delayMs = backoffMs(verdict, ++this.#failures, this.parts.options.backoff)
    const { reason } = verdict
    const ambiguous = verdict.kind === 'ambiguous'
    reached('postpone:before')
    const given = { attempt, delayMs, reason, ambiguous }
    await this.#insist(() => postponeBatch(this.parts.db, this.lease, batch, given))
    reached('postpone:after')
    return this.#resting(delayMs, reason)
  }

  #insist<Result>(statement: () => Promise<Result>): Promise<Result> {
    const failed = (error: unknown) => this.parts.events.emit('error', { error, during: 'turn' })
    return insist(statement, this.#leaseEnds, this.signal, failed)
  }

  /**
   * Lets the source rest after a statement failed, and returns the error. Without a pause a statement that always
   * fails would be repeated as fast as it can: the source is still due, and its next turn would begin at once.
   */
  async restAfter(error: unknown): Promise<unknown> {
    const said = error instanceof Error ? error.message : String(error)
    await this.#rest(`the outbox's own statement failed: ${said}`, 'unreachable').catch(() => undefined)
    return error
  }

  async #rest(reason: string, kind: 'refused-source' | 'unreachable' = 'refused-source'): Promise<false> {
    const delayMs = backoffMs({ kind, reason }, ++this.#failures, this.parts.options.backoff)
    await restSource(this.parts.db, this.lease, delayMs, reason)
    return this.#resting(delayMs, reason)
  }

  #resting(delayMs: number, reason: string): false {
    const { sourceId, portalId } = this.lease
    this.report.postponed++
    this.parts.events.emit('resting', { sourceId, portalId, failures: this.#failures, delayMs, reason })
    return false
  }
}
