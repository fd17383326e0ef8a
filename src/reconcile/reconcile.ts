import { z } from 'zod'
import type { Database } from '../database'
import { OperationError } from '../errors'
import type { Progress } from '../operate/audited-change'
import { checkResponsibility, type Responsibility } from '../operate/selection'
import { compareSource } from './compare'
import type { ReconcileReport, SourceComparison } from './report'
import type { WarehouseTarget } from './warehouse-target'
import { LAG_HOURS, type Warehouses } from './warehouses'

export interface ReconcileOptions extends Progress {
  /** Only this portal's, or this source. Default: every source whose warehouse is known. */
  portalId?: string
  sourceId?: string
  /** What was delivered at this moment or later, and before the other. Default: the last 7 days. */
  from?: Date
  to?: Date
  /** Use this warehouse for the one source that is named, and not the saved one. It is not stored. */
  warehouse?: WarehouseTarget
  /** Hours after which a delivered message has to be in the warehouse. Default: as saved, else 48. */
  lagHours?: number
  /** Also look for rows of the warehouse that this outbox has not delivered: one pass over the period. Default true. */
  unexpected?: boolean
  /**
   * Send missing messages again under their ids: `inside-window` those that Segment would drop if it had them after
   * all, `all` the others too, which may double them in the portal's destinations. Default: only report. Needs `by`.
   */
  sendAgain?: 'inside-window' | 'all'
  /** Send uncertain messages again that are not in the warehouse. Default: only report. Needs `by`. */
  resolve?: boolean
  /** Who asks for sending again, and why: goes into the audit. */
  by?: Responsibility
  /** Longest that the warehouse may take for one statement, and to be connected to at most 10 s, in milliseconds, 100 to 600,000. Default 60,000. */
  timeoutMs?: number
}

const DAY_MS = 86_400_000
const PERIOD_MS = 7 * DAY_MS

const schema = z
  .strictObject({
    portalId: z.string().min(1).optional(),
    sourceId: z.guid().optional(),
    from: z.date().optional(),
    to: z.date().optional(),
    warehouse: z.strictObject({ url: z.string(), schema: z.string() }).optional(),
    lagHours: z.number().min(0).max(720).optional(),
    unexpected: z.boolean().default(true),
    sendAgain: z.enum(['inside-window', 'all']).optional(),
    resolve: z.boolean().default(false),
    by: z.custom<Responsibility>().optional(),
    timeoutMs: z.int().min(100).max(600_000).default(60_000),
    signal: z.instanceof(AbortSignal).optional(),
    onProgress: z.custom<Progress['onProgress']>().optional(),
  })
  .refine(
    ({ warehouse, sourceId }) => !warehouse || sourceId,
    'a warehouse is given, and not for which sourceId',
  )
  .refine(({ from, to }) => !from || !to || from < to, 'from is not before to')

/**
 * Compares what was delivered with what is in the portals' warehouses, one source after the other. A warehouse that
 * cannot be read ends the comparison of its source alone. Throws OperationError for options that make no sense.
 */
export async function reconcile(
  db: Database,
  warehouses: Warehouses,
  given: ReconcileOptions,
  settings: {
    readonly dedupWindowMs: number
    readonly batchMessages: number
    readonly deliveredDays: number
  },
): Promise<ReconcileReport> {
  const result = schema.safeParse(given)
  if (!result.success) {
    throw new OperationError(
      `The comparison is not asked for properly: ${z.prettifyError(result.error)}.`,
      'Nothing was compared.',
      `The options are ${Object.keys(schema.shape).join(', ')}.`,
    )
  }
  const { by, sendAgain, resolve, warehouse, lagHours, sourceId, portalId, onProgress, ...options } =
    result.data
  if (sendAgain || resolve) checkResponsibility(by as Responsibility)
  const to = options.to ?? new Date()
  const from = options.from ?? new Date(to.getTime() - PERIOD_MS)
  const asked = warehouse
    ? await namedSource(db, sourceId as string, warehouse)
    : (await warehouses.stored({ sourceId, portalId })).map((stored) => ({
        ...stored,
        target: () => warehouses.target(stored),
      }))
  if (asked.length === 0) {
    throw new OperationError(
      'No warehouse is known for what was asked.',
      'There is nothing to compare with.',
      'Save it with `warehouses.connect({ sourceId, url, schema })`, or pass `warehouse` for one source.',
    )
  }
  let done = 0
  const sources: SourceComparison[] = []
  for (const source of asked) {
    const compared = await compareSource(db, {
      ...options,
      from,
      to,
      sourceId: source.sourceId,
      portalId: source.portalId,
      target: source.target,
      onChunk(messages) {
        done += messages
        onProgress?.(done)
      },
      lagHours: lagHours ?? source.lagHours,
      dedupWindowMs: settings.dedupWindowMs,
      batchMessages: settings.batchMessages,
      keptSince: new Date(Date.now() - settings.deliveredDays * DAY_MS),
      sendAgain:
        sendAgain || resolve
          ? { missing: sendAgain, uncertain: resolve, by: by as Responsibility }
          : undefined,
    })
    if (!compared.error && !warehouse) await warehouses.noteComparison(source.sourceId, compared.missing)
    sources.push(compared)
  }
  const agree = ({ error, missing, unexpected, duplicated, absent }: SourceComparison) =>
    !error && missing + unexpected + duplicated + absent === 0
  return { from, to, sources, agrees: sources.every(agree) }
}

async function namedSource(db: Database, sourceId: string, target: WarehouseTarget) {
  const rows = await db.query<{ sourceId: string; portalId: string }>(
    `SELECT source_id AS "sourceId", portal_id AS "portalId" FROM ${db.tables.source} WHERE source_id = $1`,
    [sourceId],
  )
  return rows.map((row) => ({ ...row, lagHours: LAG_HOURS, target: () => target }))
}
