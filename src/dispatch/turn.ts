import { LeaseLostError } from '../errors'
import type { Credentials, Prepared, Sender } from '../segment/sender'
import { judge, type Verdict } from '../segment/verdict'
import type { WriteKeyCipher } from '../sources/write-key-cipher'
import { reached } from '../steps'
import { AttemptSpan } from '../telemetry/attempt-span'
import type { BackoffOptions } from './backoff'
import { type Batch, type BatchLimits, openBatch, resumeBatch } from './batch'
import type { GivingWay } from './giving-way'
import type { Lease } from './lease'
import type { LowWaterMark } from './low-water-mark'
import { type Page, readAhead } from './next-messages'
import type { AttemptEnd } from './settle'
import { type Ended, Settling, type SettlingParts, type TurnReport } from './settling'

export interface TurnOptions extends BatchLimits {
  /** How long a source may go on before others get their turn, in milliseconds. */
  readonly turnMs: number
  /** For how long after the first moment Segment may have accepted a batch it may be sent again, in milliseconds. */
  readonly dedupWindowMs: number
  /** Longest a request may take, in milliseconds; it never starts under a lease that could end before it. */
  readonly timeoutMs: number
  readonly backoff: BackoffOptions
}

export interface TurnParts extends SettlingParts {
  readonly sender: Sender
  readonly cipher: WriteKeyCipher
  readonly givingWay: GivingWay
  /** Whether other sources may wait for this one's place. */
  readonly othersMayWait: () => boolean
  readonly options: TurnOptions
}

/**
 * How long a turn may go on where nobody waits for its place, in milliseconds, at least: to begin another costs 40 ms, in
 * which nothing is sent. A new lease is where late commits are looked for, so it has to end.
 */
const LONGEST_MS = 10_000

/**
 * One source's turn: batch after batch, one request at a time, until nothing waits, the source has to rest, or its
 * time is over. Between statements no connection is held. Throws what a statement failed with; the source rests then.
 *
 * While a request is out, the messages after it are read and laid out; the statement that settles the batch writes them
 * ahead, and they can go at once. While that statement runs, what comes after them is read.
 */
export async function takeTurn(
  parts: TurnParts,
  lease: Lease,
  mark: LowWaterMark,
  signal: AbortSignal,
): Promise<TurnReport> {
  const settling = new Settling(parts, lease, mark, signal)
  const { report } = settling
  try {
    const credentials = credentialsOf(parts.cipher, lease)
    if (credentials instanceof Error) await settling.rest(credentials.message)
    else
      report.more = (await new Turn(parts, lease, credentials, mark, settling, signal).take()) || report.more
  } catch (error) {
    if (!(error instanceof LeaseLostError)) throw await restAfter(settling, error)
    const { sourceId, portalId, token } = lease
    parts.events.emit('leaseLost', { sourceId, portalId, token })
  }
  return report
}

/** The write key decrypted, or the reason why it is not: that source rests and keeps its messages. */
function credentialsOf(cipher: WriteKeyCipher, lease: Lease): Credentials | Error {
  const { sourceId, region, ciphertext, secretId } = lease
  try {
    return { sourceId, region, writeKey: cipher.decrypt(sourceId, { ciphertext, secretId }) }
  } catch (error) {
    return error as Error
  }
}

/**
 * Lets the source rest after a statement failed, and returns the error. Without a pause a statement that always fails
 * would be repeated as fast as it can: the source is still due, and its next turn would begin at once.
 */
async function restAfter(settling: Settling, error: unknown): Promise<unknown> {
  const said = error instanceof Error ? error.message : String(error)
  await settling.rest(`the outbox's own statement failed: ${said}`, 'unreachable').catch(() => undefined)
  return error
}

/** What was read ahead. */
interface Ahead {
  readonly page: Page
  readonly prepared: Prepared
}

class Turn {
  readonly #began = performance.now()
  #open: boolean
  /** Written ahead by the statement that settled the last batch, and not sent yet; and what comes after it. */
  #written: { batch: Batch; prepared: Prepared | undefined; ahead: Ahead | undefined } | undefined
  /** How long the statements of the batch have taken, in milliseconds. */
  #workedMs = 0
  /** Whether a read of this turn has found anything. */
  #found = false

  constructor(
    private readonly parts: TurnParts,
    private readonly lease: Lease,
    private readonly credentials: Credentials,
    private readonly mark: LowWaterMark,
    private readonly settling: Settling,
    private readonly signal: AbortSignal,
  ) {
    this.#open = lease.hasOpenBatch
  }

  /** Returns whether only its time was over. */
  async take(): Promise<boolean> {
    let goOn: boolean
    do goOn = await this.#next()
    while (goOn && this.#hasTime)
    return goOn
  }

  /** What is written ahead is sent in any case: its row says that Segment may have it. */
  get #hasTime(): boolean {
    const { othersMayWait, options } = this.parts
    const most = othersMayWait() ? options.turnMs : Math.max(options.turnMs, LONGEST_MS)
    return this.#written !== undefined || performance.now() - this.#began < most
  }

  /** Sends one batch and settles it. Returns whether the turn goes on. */
  async #next(): Promise<boolean> {
    const { options } = this.parts
    this.#workedMs = 0
    const { batch, prepared, ahead } = this.#written ?? { batch: await this.#timed(this.#form()) }
    this.#written = undefined
    if (batch === undefined) {
      const retry = this.#open
      this.#open = false
      return retry
    }
    if (batch.messages.length === 0) return this.#discarded(batch)
    if (batch.expired) return this.#expired(batch)
    // Delayed this long, the request could outlive the lease. The batch stays open for the next holder.
    if (performance.now() + options.timeoutMs > this.settling.leaseEnds) {
      this.#open = true
      return true
    }
    return this.#send(batch, prepared, ahead)
  }

  /** The open batch, or else a new one. */
  async #form(): Promise<Batch | undefined> {
    const { db, options } = this.parts
    if (this.signal.aborted) return undefined
    // The lease is renewed by the statement below, at a moment not before this one.
    this.settling.leaseEnds = performance.now() + options.leaseMs
    reached('batch:before')
    const batch = this.#open
      ? await resumeBatch(db, this.lease, options, options.dedupWindowMs)
      : await this.#openBatch()
    reached('batch:after')
    return batch
  }

  async #openBatch(): Promise<Batch | undefined> {
    const { db, options, givingWay } = this.parts
    const batchMessages = givingWay.messages(this.lease.sourceId, options.batchMessages)
    const limits = { ...options, batchMessages }
    const batch = await openBatch(db, this.lease, this.mark, limits)
    const suspicious = !this.#found && this.mark.value !== '0'
    this.#found ||= batch !== undefined
    if (batch !== undefined || !suspicious) return batch
    // Nothing above the mark, though the source was due: the mark is only a hint, look from the beginning.
    this.mark.sweep()
    return openBatch(db, this.lease, this.mark, limits)
  }

  async #send(batch: Batch, prepared?: Prepared, known?: Ahead): Promise<boolean> {
    const { sender, events } = this.parts
    const { sourceId, portalId } = this.lease
    const about = { sourceId, portalId, batchId: batch.batchId, attempt: batch.attempts + 1 }
    const messages = batch.messages.length
    const span = new AttemptSpan({ ...about, messages: batch.messages })
    const request = prepared ?? sender.prepare(this.credentials, batch.messages)
    const sending = span.run(() => request.send())
    const ahead = known ?? (await this.#readAhead(batch.page))
    const seen = await sending
    reached('send:after')
    const verdict = judge(seen)
    const status = seen.kind === 'response' ? { status: seen.status } : {}
    span.end(verdict, status.status)
    const { reason, retryAfterMs } = verdict as { reason?: string; retryAfterMs?: number }
    const attempt: AttemptEnd = { ms: seen.ms, verdict: verdict.kind, ...status, error: reason, retryAfterMs }
    this.settling.report.requests++
    events.emit('attempt', { ...about, messages, verdict: verdict.kind, ...status, reason, ms: seen.ms })
    return verdict.kind === 'accepted'
      ? this.#delivered(batch, attempt, ahead)
      : this.#after(await this.#failed(batch, verdict, attempt))
  }

  /** Has what comes after a page read and laid out. */
  async #readAhead(after: Page | undefined): Promise<Ahead | undefined> {
    const { db, options, sender, givingWay } = this.parts
    if (!after?.more || this.signal.aborted || givingWay.isDue(this.lease.sourceId)) return undefined
    try {
      const page = await readAhead(db, this.lease, this.mark, options, after)
      return page && { page, prepared: sender.prepare(this.credentials, page.messages) }
    } catch {
      return undefined // what is wrong with the database, the statement that settles will tell
    }
  }

  async #delivered(batch: Batch, attempt: AttemptEnd, ahead: Ahead | undefined): Promise<boolean> {
    const { givingWay } = this.parts
    const { sourceId } = this.lease
    if (batch.page?.more === false) givingWay.caughtUp(sourceId)
    const rests = batch.page?.more === true && givingWay.isDue(sourceId)
    const follows = rests || this.signal.aborted || !this.#hasTime ? undefined : ahead
    const closing = { attempt, ahead: follows?.page, release: rests }
    const closed = this.#timed(this.settling.close(batch, 'delivered', closing))
    const reading = follows && this.#readAhead(follows.page)
    // In any case to its end: its connection would outlive the turn.
    const ended = await closed.finally(() => reading)
    if (rests) this.settling.report.restMs = givingWay.restMs(sourceId, this.#workedMs)
    if (ended.next) {
      const whole = ended.next.messages === follows?.page.messages
      const prepared = whole ? follows?.prepared : undefined
      // Where no batch is written ahead, the next is formed anew, and what was read must not follow it.
      this.#written = { batch: ended.next, prepared, ahead: await reading }
    }
    return this.#after(ended)
  }

  #failed(
    batch: Batch,
    verdict: Exclude<Verdict, { kind: 'accepted' }>,
    attempt: AttemptEnd,
  ): Promise<Ended> {
    if (verdict.kind !== 'refused-message') return this.settling.postpone(batch, verdict, attempt)
    if (batch.messages.length > 1) return this.settling.split(batch, attempt)
    return this.settling.close(batch, 'dead', { reason: `Segment refused it: ${verdict.reason}`, attempt })
  }

  async #discarded(batch: Batch): Promise<boolean> {
    const reason = 'discarded while the batch was open'
    return this.#after(await this.settling.close(batch, 'discarded', { reason }))
  }

  async #expired(batch: Batch): Promise<boolean> {
    const hours = this.parts.options.dedupWindowMs / 3_600_000
    const reason = `Segment may have accepted it, and the dedup window of ${hours} h is over: sending again could double it`
    return this.#after(await this.settling.close(batch, 'uncertain', { reason }))
  }

  async #timed<Result>(statement: Promise<Result>): Promise<Result> {
    const begun = performance.now()
    const result = await statement
    this.#workedMs += performance.now() - begun
    return result
  }

  #after({ goOn, open }: Ended): boolean {
    this.#open = open
    return goOn
  }
}
