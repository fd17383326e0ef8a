import type { MessageType } from '../../entities'
import type { Database } from '../database'
import { OutboxError, WarehouseError } from '../errors'
import type { Responsibility } from '../operate/selection'
import { keepFound, type SettledBatch, type SettledMessage, settledBatches, unexplained } from './delivered'
import { GapFinder } from './gaps'
import { type SourceComparison, Tally } from './report'
import { type Missing, sendAgainAsNew, sendAgainInsideWindow } from './send-again'
import { WarehouseSession } from './warehouse-session'
import type { WarehouseTarget } from './warehouse-target'

/** What to compare, and what to do about what is missing. */
export interface Comparison {
  readonly sourceId: string
  readonly portalId: string
  readonly target: () => WarehouseTarget
  readonly from: Date
  readonly to: Date
  readonly lagHours: number
  readonly dedupWindowMs: number
  readonly batchMessages: number
  /** Rows of the warehouse from before are not compared: their messages may have been pruned here. */
  readonly keptSince: Date
  readonly unexpected: boolean
  readonly timeoutMs: number
  readonly sendAgain?: {
    readonly missing?: 'inside-window' | 'all'
    readonly uncertain?: boolean
    readonly by: Responsibility
  }
  readonly signal?: AbortSignal
  /** Called after each chunk with the messages it had. */
  readonly onChunk?: (messages: number) => void
}

const TYPES = ['track', 'identify', 'page', 'group'] as const satisfies readonly MessageType[]

/**
 * Compares one source with its warehouse, in chunks: what is found is kept with each, so that a comparison that ends
 * early has lost nothing, and the next asks only for what is not confirmed. Never throws for the warehouse's sake.
 */
export async function compareSource(db: Database, comparison: Comparison): Promise<SourceComparison> {
  const run = new Run(db, comparison)
  try {
    await run.compare()
    return run.report()
  } catch (error) {
    if (!(error instanceof OutboxError)) throw error
    return run.report(error)
  }
}

class Run {
  readonly #tally = new Tally()
  readonly #gaps = new GapFinder()
  #schema = ''
  #loadedThrough: Date | null = null
  #resolved = 0
  #sentAgain = 0

  constructor(
    private readonly db: Database,
    private readonly comparison: Comparison,
  ) {}

  async compare(): Promise<void> {
    const { sourceId, target, timeoutMs, unexpected } = this.comparison
    this.#goOn()
    const { url, schema } = target()
    this.#schema = schema
    const session = await WarehouseSession.open({ url, schema }, timeoutMs)
    try {
      this.#loadedThrough = await session.loadedThrough()
      for await (const chunk of settledBatches(this.db, sourceId, this.comparison)) {
        this.#goOn()
        await this.#compareChunk(session, chunk)
      }
      if (unexpected) for (const type of TYPES) await this.#findUnexpected(session, type)
    } finally {
      await session.close()
    }
  }

  report(error?: OutboxError): SourceComparison {
    const { sourceId, portalId } = this.comparison
    return {
      sourceId,
      portalId,
      schema: this.#schema,
      ...this.#tally.total,
      loadedThrough: this.#loadedThrough,
      resolved: this.#resolved,
      sentAgain: this.#sentAgain,
      days: this.#tally.days,
      gaps: this.#gaps.finish(this.#loadedThrough),
      ...(error === undefined ? {} : { error }),
    }
  }

  async #compareChunk(session: WarehouseSession, chunk: readonly SettledBatch[]): Promise<void> {
    const times = await this.#lookUp(session, chunk)
    const isThere = (batch: SettledBatch) => (message: SettledMessage) =>
      batch.confirmed || times.has(message.messageId)
    const confirmed: string[] = []
    const uncertain: string[] = []
    for (const batch of chunk) {
      const found = batch.messages.filter(isThere(batch))
      const absent = batch.messages.filter((message) => !isThere(batch)(message))
      this.#count(batch, found, absent, times)
      if (!batch.confirmed && found.length > 0 && absent.length === 0) confirmed.push(batch.batchId)
      uncertain.push(...found.flatMap(({ status, messageId }) => (status === 'uncertain' ? messageId : [])))
    }
    this.#resolved += await keepFound(this.db, confirmed, uncertain)
    for (const batch of chunk) await this.#sendAgain(batch, (message) => !isThere(batch)(message))
    this.comparison.onChunk?.(chunk.reduce((sum, { messages }) => sum + messages.length, 0))
  }

  /** How often each unconfirmed message of the chunk is in the warehouse. */
  async #lookUp(session: WarehouseSession, chunk: readonly SettledBatch[]): Promise<Map<string, number>> {
    const messages = chunk.flatMap((batch) => (batch.confirmed ? [] : batch.messages))
    const times = new Map<string, number>()
    for (const type of TYPES) {
      const ids = messages.flatMap((message) => (message.type === type ? message.messageId : []))
      for (const [id, n] of await session.lookUp(type, ids)) times.set(id, n)
    }
    return times
  }

  #count(
    batch: SettledBatch,
    found: readonly SettledMessage[],
    absent: readonly SettledMessage[],
    times: ReadonlyMap<string, number>,
  ): void {
    for (const message of found) {
      this.#tally.add(message, batch.day, 'confirmed')
      if ((times.get(message.messageId) ?? 1) > 1) this.#tally.add(message, batch.day, 'duplicated')
    }
    for (const message of absent) {
      const late = message.status === 'uncertain' ? 'absent' : 'missing'
      this.#tally.add(message, batch.day, this.#isLate(batch, message.status) ? late : 'awaited')
    }
    const delivered = absent.filter(({ status }) => status === 'delivered')
    this.#gaps.add({
      ...batch,
      found,
      missing: batch.due ? delivered : [],
      awaited: batch.due ? [] : delivered,
    })
  }

  /**
   * An uncertain message that is not there is known not to have arrived only where the warehouse has loaded something
   * younger: a schema of another name, or loads that have stopped, must not make it safe to send again.
   */
  #isLate({ due, firstSentAt }: SettledBatch, status: SettledMessage['status']): boolean {
    if (status === 'delivered' || !due) return due
    return firstSentAt !== null && this.#loadedThrough !== null && this.#loadedThrough > firstSentAt
  }

  async #sendAgain(batch: SettledBatch, isAbsent: (message: SettledMessage) => boolean): Promise<void> {
    const { sendAgain, sourceId, from, to } = this.comparison
    if (sendAgain === undefined || !batch.due) return
    const { by } = sendAgain
    const missing: Missing = { sourceId, missingFrom: 'warehouse', settledFrom: from, settledTo: to }
    const idsOf = (status: SettledMessage['status']) =>
      batch.messages.flatMap((message) =>
        message.status === status && isAbsent(message) ? message.messageId : [],
      )
    const delivered = idsOf('delivered')
    if (sendAgain.missing && delivered.length > 0) {
      const { batchId } = batch
      this.#sentAgain += await sendAgainInsideWindow(
        this.db,
        batchId,
        delivered,
        missing,
        by,
        this.comparison,
      )
      // Those inside the window are not delivered any more, and are left alone by this.
      if (sendAgain.missing === 'all') {
        this.#sentAgain += await sendAgainAsNew(this.db, 'delivered', delivered, missing, by)
      }
    }
    const uncertain = idsOf('uncertain')
    if (sendAgain.uncertain && uncertain.length > 0 && this.#isLate(batch, 'uncertain')) {
      this.#sentAgain += await sendAgainAsNew(this.db, 'uncertain', uncertain, missing, by)
    }
  }

  async #findUnexpected(session: WarehouseSession, type: MessageType): Promise<void> {
    const { sourceId, from, to, keptSince } = this.comparison
    for await (const rows of session.rows(type, new Date(Math.max(+from, +keptSince)), to)) {
      this.#goOn()
      const ids = rows.map(({ id }) => id)
      const unknown = await unexplained(this.db, sourceId, ids)
      for (const { id, event, day } of rows) {
        if (unknown.has(id)) this.#tally.add({ type, event }, day, 'unexpected')
      }
    }
  }

  #goOn(): void {
    if (!this.comparison.signal?.aborted) return
    throw new WarehouseError(
      'The comparison was stopped.',
      'What it had confirmed is kept.',
      'Run it again: it asks only for what is not confirmed.',
    )
  }
}
