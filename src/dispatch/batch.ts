import type { Database } from '../database'
import { oncePerTables, planned } from '../planned'
import type { Tables } from '../tables'
import { isOpen } from './first-of-source'
import { heldSql, type Lease, requireHeld } from './lease'
import type { LowWaterMark } from './low-water-mark'
import {
  type BatchMessage,
  type MessageRow,
  messageColumns,
  messagesOf,
  nextSql,
  PAGE_COLUMNS,
  PAGE_PARAMETERS,
  type Page,
  type PageLimits,
  type PageRow,
  pageColumns,
  pageParameters,
  toPage,
} from './next-messages'

/** A batch whose write-ahead row is committed: from here on Segment may have it. */
export interface Batch {
  readonly batchId: string
  readonly messages: readonly BatchMessage[]
  /** Attempts before this one. */
  readonly attempts: number
  /** The dedup window is over: it must not be sent again, only parked. */
  readonly expired: boolean
  /** The read that it was formed from. Absent where it was found open. */
  readonly page?: Page
}

export interface BatchLimits extends PageLimits {
  readonly leaseMs: number
}

interface BatchRow extends MessageRow {
  held: boolean
  batchId: string | null
  attempts: number
  expired: boolean
}

/**
 * SQL: writes a batch ahead. `first_ambiguous_at` is set before the request goes out, and taken back when its outcome is
 * known not to be accepted: a crash in between leaves the dedup window running from the earliest possible moment.
 *
 * @param of the rows of its messages
 * @param from `held h`, and what else has to be there
 */
export const writeAheadSql = (t: Tables, of: string, from: string) => `
  INSERT INTO ${t.batch} (source_id, lease_token, message_ids, first_seq, last_seq, wire_bytes,
                          attempt_started_at, first_ambiguous_at)
  SELECT h.source_id, $2::bigint, array_agg(c.message_id ORDER BY c.seq), min(c.seq), max(c.seq), sum(c.wire_bytes),
         now(), now()
  FROM ${of} c, ${from}`

/**
 * Renews the lease, reads the next messages by `seq` and writes the batch ahead, in one statement.
 *
 * While a batch of the source is open, no other is formed, whatever the caller believes: the same messages would be in
 * both, and the younger one would not know since when Segment may have them.
 */
const openSql = (t: Tables) => `
WITH held AS (${heldSql(t, '$4')}
), ${nextSql(t, 5)}, written AS (${writeAheadSql(t, 'chosen', 'held h')}
  WHERE h.current AND NOT ${isOpen(t)}
  GROUP BY h.source_id
  RETURNING batch_id
)
SELECT EXISTS (SELECT FROM held) AS held, w.batch_id::text AS "batchId", 0 AS attempts, false AS expired, ${pageColumns(5)}
FROM (SELECT) one LEFT JOIN written w ON true LEFT JOIN chosen c ON w.batch_id IS NOT NULL
ORDER BY c.seq`

export const openBatchFunction = oncePerTables((t) =>
  planned(
    t.openBatch,
    ['uuid', 'bigint', 'bigint', 'integer', ...PAGE_PARAMETERS],
    ['held boolean', '"batchId" text', 'attempts integer', 'expired boolean', ...PAGE_COLUMNS],
    openSql(t),
  ),
)

/** Forms the next batch, or returns undefined when nothing waits above the mark. Throws LeaseLostError. */
export async function openBatch(
  db: Database,
  lease: Lease,
  mark: LowWaterMark,
  limits: BatchLimits,
): Promise<Batch | undefined> {
  const { sourceId, token, keyVersion } = lease
  const parameters = [sourceId, token, limits.leaseMs, keyVersion, ...pageParameters(mark, limits)]
  const rows = await db.query<BatchRow & PageRow>(openBatchFunction(db.tables).call, parameters)
  const batch = toBatch(rows, lease)
  return batch && { ...batch, page: toPage(rows, mark, limits) }
}

/**
 * Takes up the open batch with the lowest `seq`: one that an earlier attempt left undecided, a crash left without a
 * verdict, or a half of a refused batch. An attempt that has no verdict is noted as lost.
 *
 * `settled_at IS NULL` is `status = 'pending'`, by a CHECK constraint. Said like this, the messages are found by their
 * ids: where the statistics say that nothing is pending, the planner would read the whole backlog instead (shown by
 * test/plans).
 */
const resumeSql = (t: Tables) => `
WITH held AS (${heldSql(t, '$4')}
), open AS (
  SELECT b.batch_id, b.attempt_started_at, b.attempt_count AS attempts,
         coalesce(b.first_ambiguous_at <= now() - $5::bigint * interval '1 millisecond', false) AS expired
  FROM held h JOIN ${t.batch} b ON b.source_id = h.source_id AND b.outcome IS NULL AND h.current
  ORDER BY b.first_seq LIMIT 1
), written AS (
  UPDATE ${t.batch} b
  SET lease_token = $2::bigint,
      attempt_started_at = CASE WHEN o.expired THEN NULL ELSE now() END,
      first_ambiguous_at = coalesce(b.first_ambiguous_at, now()),
      attempt_count = b.attempt_count + CASE WHEN o.attempt_started_at IS NULL THEN 0 ELSE 1 END,
      attempts = CASE WHEN o.attempt_started_at IS NULL THEN b.attempts ELSE ${appendAttempt(
        'b.attempts',
        `jsonb_build_object('at', o.attempt_started_at, 'verdict', 'lost',
                            'error', 'the process ended before the outcome was known')`,
      )} END
  FROM open o WHERE b.batch_id = o.batch_id
  RETURNING b.batch_id, b.message_ids, o.attempts, o.expired
)
SELECT EXISTS (SELECT FROM held) AS held, w.batch_id::text AS "batchId", w.attempts, w.expired, ${messageColumns('m')}
FROM (SELECT) one LEFT JOIN written w ON true
LEFT JOIN LATERAL unnest(w.message_ids) AS id ON true
LEFT JOIN ${t.message} m ON m.message_id = id AND m.settled_at IS NULL
ORDER BY m.seq`

/** Takes up the source's open batch, or returns undefined when none is open. Throws LeaseLostError. */
export async function resumeBatch(
  db: Database,
  lease: Lease,
  limits: BatchLimits,
  dedupWindowMs: number,
): Promise<Batch | undefined> {
  const parameters = [lease.sourceId, lease.token, limits.leaseMs, lease.keyVersion, dedupWindowMs]
  return toBatch(await db.query<BatchRow>(resumeSql(db.tables), parameters), lease)
}

function toBatch(rows: readonly BatchRow[], lease: Lease): Batch | undefined {
  const [first] = rows
  requireHeld(first?.held, lease)
  if (!first?.batchId) return undefined
  const { batchId, attempts, expired } = first
  return { batchId, messages: messagesOf(rows), attempts, expired }
}

/** SQL: a batch's history with one attempt more. The first 5 and the last 45 are kept, so the row stays small. */
export function appendAttempt(attempts: string, attempt: string): string {
  return `(CASE WHEN jsonb_array_length(${attempts}) >= 50 THEN ${attempts} - 5 ELSE ${attempts} END || ${attempt})`
}
