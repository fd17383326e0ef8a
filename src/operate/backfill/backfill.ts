import type { EntityManager } from 'typeorm'
import { z } from 'zod'
import type { Database } from '../../database'
import { OperationError } from '../../errors'
import type { Plan } from '../../plan/define-plan'
import type { Recorded } from '../../record/calls'
import { rest } from '../../rest'
import { type PageParts, recordPage, sourceGone } from './page'
import { openRange, type Range } from './range'
import type { BackfillOptions, BackfillProgress, BackfillReport, ReadFacts } from './types'

/** How often it is looked whether enough was sent. */
const POLL_MS = 250

const optionsSchema = z.strictObject({
  portalId: z.string().min(1),
  from: z.date().optional(),
  to: z.date().optional(),
  rate: z.int().min(1).max(10_000).default(500),
  pageSize: z.int().min(1).max(1000).default(250),
  maxPending: z.int().min(1).max(100_000).default(500),
  signal: z.instanceof(AbortSignal).optional(),
  onProgress: z
    .custom<(progress: BackfillProgress) => void>((value) => typeof value === 'function')
    .optional(),
})

export interface BackfillParts {
  readonly db: Database
  readonly plan: Plan
  readonly record: (tx: EntityManager, calls: readonly unknown[]) => Promise<Recorded[]>
  /** Aborts when the outbox stops. */
  readonly stopping: AbortSignal
}

/** Records the history of one event for one portal. See `Outbox.backfill`. */
export async function backfill(
  parts: BackfillParts,
  event: string,
  read: ReadFacts<Plan, string>,
  options: BackfillOptions,
): Promise<BackfillReport> {
  const { db, plan, record, stopping } = parts
  const { portalId, from, to, rate, pageSize, maxPending, signal, onProgress } = resolve(options)
  const definition = Object.hasOwn(plan.events, event) ? plan.events[event] : undefined
  if (!definition || typeof read !== 'function') throw unknownEvent(event, plan)
  const ends = AbortSignal.any(signal ? [stopping, signal] : [stopping])
  const page: PageParts = { db, portalId, read, limit: pageSize, record }
  const progress = (state: BackfillProgress['state'], at?: Date) =>
    onProgress?.({ ...reportOf(range), state, at })

  let range = await openRange(db, { name: event, definition }, { portalId, from, to })
  let waiting = false
  while (!range.finished && !ends.aborted) {
    const began = performance.now()
    if (await isFull(db, page, range, maxPending)) {
      if (!waiting) progress('waiting')
      waiting = true
      await rest(POLL_MS, ends)
      continue
    }
    waiting = false
    const done = await recordPage(page, range)
    range = done.range
    progress(range.finished ? 'finished' : 'recorded', done.facts.at(-1)?.timestamp)
    if (!range.finished) await rest((done.facts.length * 1000) / rate - (performance.now() - began), ends)
  }
  return reportOf(range)
}

function resolve(options: BackfillOptions) {
  const result = optionsSchema.safeParse(options)
  if (result.success) return result.data
  throw new OperationError(
    `The options of the backfill are not valid: ${z.prettifyError(result.error)}.`,
    'What is recorded cannot be taken back once it is sent.',
    'See BackfillOptions for their bounds.',
  )
}

function unknownEvent(event: string, plan: Plan): OperationError {
  const known = Object.hasOwn(plan.events, event)
  return new OperationError(
    known
      ? `There is no reader for the history of "${event}".`
      : `The event "${event}" is not in the tracking plan.`,
    'Nothing can be read, and so nothing recorded.',
    known
      ? 'Pass a function that reads it from your tables.'
      : `Its events are ${Object.keys(plan.events).join(', ')}.`,
  )
}

/**
 * Whether so many messages wait for the source; counts no further than that. Throws where the source is disabled: what
 * waits for it is held, and it would be waited for without end.
 */
async function isFull(db: Database, { portalId }: PageParts, range: Range, limit: number): Promise<boolean> {
  const { message, source } = db.tables
  const [row] = await db.query<{ n: number; active: boolean }>(
    `SELECT (SELECT count(*)::int FROM (
               SELECT FROM ${message} WHERE source_id = $1 AND status = 'pending' LIMIT $2
             ) waiting) AS n,
            EXISTS (SELECT FROM ${source} WHERE source_id = $1 AND status <> 'disabled') AS active`,
    [range.sourceId, limit],
  )
  if (!row?.active) throw sourceGone(portalId)
  return row.n >= limit
}

function reportOf({ readThrough: _, ...report }: Range): BackfillReport {
  return report
}
