import type { MessageStatus } from '../../entities'
import type { Database } from '../database'
import { reached } from '../steps'
import type { Tables } from '../tables'

export interface RetentionOptions {
  /** Days that messages are kept after they reached their end, by status. Pending ones are never pruned. */
  readonly deliveredDays: number
  readonly deadDays: number
  readonly uncertainDays: number
  readonly discardedDays: number
  /** Days that the history of sends is kept. */
  readonly batchDays: number
  /** Rows removed by one statement: bounds its locks and its time. */
  readonly chunk: number
}

export interface PruneReport {
  readonly messages: number
  readonly batches: number
}

const pruneMessagesSql = (t: Tables) => `
WITH expired AS (
  SELECT message_id FROM ${t.message}
  WHERE status = $1 AND status <> 'pending' AND settled_at < now() - $2::float8 * interval '1 day'
  ORDER BY settled_at LIMIT $3 FOR UPDATE SKIP LOCKED
), removed AS (
  DELETE FROM ${t.message} m USING expired e WHERE m.message_id = e.message_id RETURNING 1
)
SELECT count(*)::int AS removed FROM removed`

const pruneBatchesSql = (t: Tables) => `
WITH expired AS (
  SELECT batch_id FROM ${t.batch}
  WHERE outcome IS NOT NULL AND settled_at < now() - $1::float8 * interval '1 day'
  ORDER BY settled_at LIMIT $2 FOR UPDATE SKIP LOCKED
), removed AS (
  DELETE FROM ${t.batch} b USING expired e WHERE b.batch_id = e.batch_id RETURNING 1
)
SELECT count(*)::int AS removed FROM removed`

/**
 * Removes what is past its retention, chunk by chunk, each in a statement of its own, until nothing is left or
 * `signal` aborts. Several processes may prune at once: they skip each other's rows.
 */
export async function prune(
  db: Database,
  retention: RetentionOptions,
  signal?: AbortSignal,
): Promise<PruneReport> {
  const days: [Exclude<MessageStatus, 'pending'>, number][] = [
    ['delivered', retention.deliveredDays],
    ['dead', retention.deadDays],
    ['uncertain', retention.uncertainDays],
    ['discarded', retention.discardedDays],
  ]
  const all = async (sql: string, parameters: unknown[]) => {
    let total = 0
    for (let removed = retention.chunk; removed === retention.chunk && !signal?.aborted; total += removed) {
      reached('prune:before')
      const [row] = await db.query<{ removed: number }>(sql, [...parameters, retention.chunk])
      reached('prune:after')
      removed = row?.removed ?? 0
    }
    return total
  }
  let messages = 0
  for (const [status, kept] of days) messages += await all(pruneMessagesSql(db.tables), [status, kept])
  return { messages, batches: await all(pruneBatchesSql(db.tables), [retention.batchDays]) }
}
