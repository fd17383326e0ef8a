import type { Database } from '../../database'
import type { Tables } from '../../tables'
import { auditColumns } from './audit'
import { isUuid } from './check-input'
import { aliveSql } from './dispatchers'
import { explain } from './explain'
import { listSources } from './sources'
import { timelineOf } from './timeline'
import {
  type AuditEntry,
  type BatchDetail,
  type MessageDetail,
  type MessageRow,
  SOURCE_COUNT_LIMIT,
} from './types'

interface Row extends MessageRow {
  now: Date
  seq: string
  userId: string | null
  anonymousId: string | null
  occurredAt: Date
  wireBytes: number
  schemaHash: string | null
  traceParent: string | null
  body: Record<string, unknown>
  batchId: string | null
  openBatchId: string | null
  ahead: number
  dispatching: boolean
}

const messageSql = (t: Tables) => `
SELECT clock_timestamp() AS now, m.message_id AS "messageId", m.seq::text AS seq, m.recorded_at AS "recordedAt",
       m.occurred_at AS "occurredAt", m.settled_at AS "settledAt", m.erased_at AS "erasedAt",
       m.source_id AS "sourceId", m.portal_id AS "portalId", m.type, m.event, m.user_id AS "userId",
       m.anonymous_id AS "anonymousId", coalesce(m.user_id, m.anonymous_id) AS who, m.status, m.reason,
       m.wire_bytes AS "wireBytes", m.schema_hash AS "schemaHash", m.trace_parent AS "traceParent", m.body,
       m.batch_id::text AS "batchId", o.batch_id::text AS "openBatchId",
       CASE WHEN m.status = 'pending' THEN (SELECT count(*)::int FROM (
         SELECT FROM ${t.message} w WHERE w.status = 'pending' AND w.source_id = m.source_id AND w.seq < m.seq
         LIMIT ${SOURCE_COUNT_LIMIT}) counted) ELSE 0 END AS ahead,
       EXISTS (SELECT FROM ${t.dispatcher} d WHERE ${aliveSql}) AS dispatching
FROM ${t.message} m
LEFT JOIN LATERAL (
  SELECT b.batch_id FROM ${t.batch} b
  WHERE m.status = 'pending' AND b.source_id = m.source_id AND b.outcome IS NULL AND m.message_id = ANY (b.message_ids)
  LIMIT 1
) o ON true
WHERE m.message_id = $1`

/** Failed batches of its source that are searched for it: from when it was recorded on, one source's few. */
const SEARCHED = 2000

/** Its batch; and those that it was in before it was split off, and before it was redriven: these all failed. */
const batchesSql = (t: Tables) => `
WITH failed AS (
  SELECT * FROM ${t.batch}
  WHERE source_id = $2 AND outcome IN ('split', 'dead', 'uncertain', 'discarded') AND settled_at >= $3
  ORDER BY settled_at LIMIT ${SEARCHED}
), found AS (
  SELECT * FROM ${t.batch} WHERE batch_id = $1::bigint
  UNION
  SELECT * FROM failed WHERE $4::uuid = ANY (message_ids)
)
SELECT batch_id::text AS "batchId", parent_id::text AS "parentId", created_at AS "createdAt",
       settled_at AS "settledAt", attempt_started_at AS "attemptStartedAt", first_ambiguous_at AS "firstAmbiguousAt",
       confirmed_at AS "confirmedAt", outcome, cardinality(message_ids) AS messages, wire_bytes AS "wireBytes", attempt_count AS "attemptCount",
       attempts
FROM found ORDER BY found.batch_id`

/** What people did to selections that a message matches, as far as the last thousand entries tell. */
const operationsSql = (t: Tables) => `
SELECT ${auditColumns} FROM (SELECT * FROM ${t.audit} ORDER BY audit_id DESC LIMIT 1000) a
WHERE a.at >= $2::timestamptz AND a.action IN ('send again', 'mark delivered', 'discard')
  AND (NOT selection ? 'messageIds' OR selection -> 'messageIds' @> to_jsonb($1::text))
  AND coalesce(selection ->> 'sourceId', $3) = $3 AND coalesce(selection ->> 'portalId', $4) = $4
  AND (NOT selection ? 'event' OR selection ->> 'event' = $5) AND coalesce(selection ->> 'type', $6) = $6
  AND (NOT selection ? 'userId' OR selection ->> 'userId' = $7)
  AND (NOT selection ? 'anonymousId' OR selection ->> 'anonymousId' = $8)
  AND (NOT selection ? 'recordedFrom' OR (selection ->> 'recordedFrom')::timestamptz <= $2::timestamptz)
  AND (NOT selection ? 'recordedTo' OR (selection ->> 'recordedTo')::timestamptz > $2::timestamptz)
ORDER BY audit_id`

/** All that is known of one message; undefined where there is none of that id. */
export async function readMessage(
  db: Database,
  messageId: string,
  dedupWindowMs: number,
): Promise<MessageDetail | undefined> {
  if (!isUuid(messageId)) return undefined
  const t = db.tables
  const [row] = await db.query<Row>(messageSql(t), [messageId])
  if (row === undefined) return undefined
  const { now, batchId, openBatchId, ahead, dispatching, ...message } = row
  const { sourceId, portalId, event, type, userId, anonymousId } = message
  const current = openBatchId ?? batchId
  const matched = [
    message.messageId,
    message.recordedAt,
    sourceId,
    portalId,
    event,
    type,
    userId,
    anonymousId,
  ]
  const [batches, [source], operations] = await Promise.all([
    db.query<BatchDetail>(batchesSql(t), [current, sourceId, message.recordedAt, message.messageId]),
    listSources(db, { sourceId }),
    db.query<AuditEntry>(operationsSql(t), matched),
  ])
  const batch = batches.find((one) => one.batchId === current)
  return {
    ...message,
    source,
    batch,
    timeline: timelineOf({ message: { ...message, batchId }, batches, operations }),
    explanation: explain({ ...message, now, batchId, batch, source, ahead, dispatching, dedupWindowMs }),
  }
}
