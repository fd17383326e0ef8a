import type { MessageType } from '../../entities'
import type { Database } from '../database'
import type { JsonObject } from '../record/snapshot'
import type { Tables } from '../tables'
import { heldSql, type Lease, requireHeld } from './lease'
import type { LowWaterMark } from './low-water-mark'

export interface BatchMessage {
  readonly messageId: string
  readonly seq: string
  readonly type: MessageType
  /** Trace in which it was recorded. */
  readonly traceParent: string | null
  readonly body: JsonObject
}

/** A batch whose write-ahead row is committed: from here on Segment may have it. */
export interface Batch {
  readonly batchId: string
  readonly messages: readonly BatchMessage[]
  /** Attempts before this one. */
  readonly attempts: number
  /** The dedup window is over: it must not be sent again, only parked. */
  readonly expired: boolean
}

export interface BatchLimits {
  readonly batchMessages: number
  readonly batchBytes: number
  readonly leaseMs: number
}

interface Row {
  held: boolean
  horizon: string
  passed: boolean | null
  batchId: string | null
  attempts: number
  expired: boolean
  messageId: string | null
  seq: string
  type: MessageType
  traceParent: string | null
  body: JsonObject
}

/**
 * Renews the lease, reads the next messages by `seq` and writes the batch ahead, in one statement. The read stops at
 * the first message that would pass the byte limit; a batch always holds at least one.
 *
 * `first_ambiguous_at` is set before the request goes out, and taken back when its outcome is known not to be
 * accepted: a crash in between leaves the dedup window running from the earliest possible moment.
 *
 * While a batch of the source is open, no other is formed, whatever the caller believes: the same messages would be in
 * both, and the younger one would not know since when Segment may have them.
 */
const openSql = (t: Tables) => `
WITH held AS (${heldSql(t, '$8')}
), next AS MATERIALIZED (
  SELECT message_id, seq, wire_bytes, type, trace_parent, body FROM ${t.message}
  WHERE source_id = $1 AND status = 'pending' AND seq > $4::bigint
  ORDER BY seq LIMIT $5
), chosen AS MATERIALIZED (
  SELECT message_id, seq, wire_bytes, type, trace_parent, body
  FROM (SELECT *, sum(wire_bytes) OVER w AS bytes, row_number() OVER w AS place FROM next WINDOW w AS (ORDER BY seq)) n
  WHERE bytes <= $6 OR place = 1
), written AS (
  INSERT INTO ${t.batch} (source_id, lease_token, message_ids, first_seq, last_seq, wire_bytes,
                          attempt_started_at, first_ambiguous_at)
  SELECT h.source_id, $2::bigint, array_agg(c.message_id ORDER BY c.seq), min(c.seq), max(c.seq), sum(c.wire_bytes),
         now(), now()
  FROM held h, chosen c
  WHERE h.current AND NOT EXISTS (SELECT FROM ${t.batch} o WHERE o.source_id = $1 AND o.outcome IS NULL)
  GROUP BY h.source_id
  RETURNING batch_id
)
SELECT EXISTS (SELECT FROM held) AS held, pg_current_xact_id()::text AS horizon,
       pg_snapshot_xmin(pg_current_snapshot()) >= $7::xid8 AS passed,
       w.batch_id::text AS "batchId", 0 AS attempts, false AS expired,
       c.message_id AS "messageId", c.seq::text AS seq, c.type, c.trace_parent AS "traceParent", c.body
FROM (SELECT) one LEFT JOIN written w ON true LEFT JOIN chosen c ON w.batch_id IS NOT NULL
ORDER BY c.seq`

/** Forms the next batch, or returns undefined when nothing waits above the mark. Throws LeaseLostError. */
export async function openBatch(
  db: Database,
  lease: Lease,
  mark: LowWaterMark,
  limits: BatchLimits,
): Promise<Batch | undefined> {
  const rows = await db.query<Row>(openSql(db.tables), [
    lease.sourceId,
    lease.token,
    limits.leaseMs,
    mark.value,
    limits.batchMessages,
    limits.batchBytes,
    mark.horizon,
    lease.keyVersion,
  ])
  const batch = toBatch(rows, lease)
  const [first, last] = [rows[0], batch?.messages.at(-1)]
  if (first && last) mark.read(last.seq, first.horizon, first.passed === true)
  return batch
}

/**
 * Takes up the open batch with the lowest `seq`: one that an earlier attempt left undecided, a crash left without a
 * verdict, or a half of a refused batch. An attempt that has no verdict is noted as lost.
 *
 * OFFSET 0 has the messages looked up by id: where the statistics say that nothing is pending, the planner would read
 * the whole backlog instead (shown by test/plans).
 */
const resumeSql = (t: Tables) => `
WITH held AS (${heldSql(t, '$5')}
), open AS (
  SELECT b.batch_id, b.attempt_started_at, b.attempt_count AS attempts,
         coalesce(b.first_ambiguous_at <= now() - $4::bigint * interval '1 millisecond', false) AS expired
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
SELECT EXISTS (SELECT FROM held) AS held, '' AS horizon, false AS passed, w.batch_id::text AS "batchId", w.attempts,
       w.expired, m.message_id AS "messageId", m.seq::text AS seq, m.type, m.trace_parent AS "traceParent", m.body
FROM (SELECT) one LEFT JOIN written w ON true
LEFT JOIN LATERAL unnest(w.message_ids) AS id ON true
LEFT JOIN LATERAL (SELECT * FROM ${t.message} WHERE message_id = id OFFSET 0) m ON m.status = 'pending'
ORDER BY m.seq`

/** Takes up the source's open batch, or returns undefined when none is open. Throws LeaseLostError. */
export async function resumeBatch(
  db: Database,
  lease: Lease,
  limits: BatchLimits,
  dedupWindowMs: number,
): Promise<Batch | undefined> {
  const parameters = [lease.sourceId, lease.token, limits.leaseMs, dedupWindowMs, lease.keyVersion]
  return toBatch(await db.query<Row>(resumeSql(db.tables), parameters), lease)
}

function toBatch(rows: readonly Row[], lease: Lease): Batch | undefined {
  const [first] = rows
  requireHeld(first?.held, lease)
  if (!first?.batchId) return undefined
  const messages = rows.flatMap(({ messageId, seq, type, traceParent, body }) =>
    messageId === null ? [] : [{ messageId, seq, type, traceParent, body }],
  )
  return { batchId: first.batchId, messages, attempts: first.attempts, expired: first.expired }
}

/** SQL: a batch's history with one attempt more. The first 5 and the last 45 are kept, so the row stays small. */
export function appendAttempt(attempts: string, attempt: string): string {
  return `(CASE WHEN jsonb_array_length(${attempts}) >= 50 THEN ${attempts} - 5 ELSE ${attempts} END || ${attempt})`
}
