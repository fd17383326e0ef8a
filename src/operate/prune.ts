import type { Database } from '../database'
import { rest } from '../rest'
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

/**
 * Chunks follow each other in the order of `settled_at`: each starts where the one before it ended. From the beginning,
 * it would pass by all that was just removed, for as long as a long transaction keeps vacuum from clearing it away.
 */
const pruneMessagesSql = (t: Tables) => `
WITH expired AS (
  SELECT message_id FROM ${t.message}
  WHERE status = $4 AND status <> 'pending'
    AND settled_at >= $3 AND settled_at < now() - $1::float8 * interval '1 day'
  ORDER BY settled_at LIMIT $2 FOR UPDATE SKIP LOCKED
), removed AS (
  DELETE FROM ${t.message} m USING expired e WHERE m.message_id = e.message_id RETURNING m.settled_at
)
SELECT count(*)::int AS removed, max(settled_at)::text AS through FROM removed`

const pruneBatchesSql = (t: Tables) => `
WITH expired AS (
  SELECT batch_id FROM ${t.batch}
  WHERE outcome IS NOT NULL AND settled_at >= $3 AND settled_at < now() - $1::float8 * interval '1 day'
  ORDER BY settled_at LIMIT $2 FOR UPDATE SKIP LOCKED
), removed AS (
  DELETE FROM ${t.batch} b USING expired e WHERE b.batch_id = e.batch_id RETURNING b.settled_at
)
SELECT count(*)::int AS removed, max(settled_at)::text AS through FROM removed`

/**
 * How long pruning rests after a chunk, in times of what the chunk took: it is never urgent, and takes a tenth of a core.
 * Without a rest it takes more than half a core of the database's, and recording and draining beside it fell to 0.65 of
 * their speed on two cores. With a rest nine times as long it is 0.9 to 1, and still removes 3,000 rows a second.
 */
const REST = 9
/** A chunk that waited for a lock took long, and no resources. */
const LONGEST_REST_MS = 5000

/**
 * Removes what is past its retention, chunk by chunk, each in a statement of its own, until nothing is left or
 * `signal` aborts. Several processes may prune at once: they skip each other's rows.
 */
export async function prune(
  db: Database,
  retention: RetentionOptions,
  signal: AbortSignal,
): Promise<PruneReport> {
  const { chunk } = retention
  const all = async (sql: string, days: number, ...status: string[]) => {
    let total = 0
    let through = '-infinity'
    while (!signal.aborted) {
      const began = performance.now()
      reached('prune:before')
      const [row]: Removed[] = await db.query<Removed>(sql, [days, chunk, through, ...status])
      reached('prune:after')
      const removed = row?.removed ?? 0
      total += removed
      if (removed < chunk) break
      through = row?.through ?? through
      await rest(Math.min(REST * (performance.now() - began), LONGEST_REST_MS), signal)
    }
    return total
  }
  const messages = pruneMessagesSql(db.tables)
  return {
    messages:
      (await all(messages, retention.deliveredDays, 'delivered')) +
      (await all(messages, retention.deadDays, 'dead')) +
      (await all(messages, retention.uncertainDays, 'uncertain')) +
      (await all(messages, retention.discardedDays, 'discarded')),
    batches: await all(pruneBatchesSql(db.tables), retention.batchDays),
  }
}

interface Removed {
  readonly removed: number
  readonly through: string | null
}
