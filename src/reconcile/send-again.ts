import type { Database } from '../database'
import { audited } from '../operate/audited-change'
import { sendAgainSql } from '../operate/redrive'
import { type Responsibility, selectionParameters } from '../operate/selection'
import type { Tables } from '../tables'

/** What the audit shall say these messages were. */
export interface Missing {
  readonly sourceId: string
  readonly missingFrom: 'warehouse'
  readonly settledFrom: Date
  readonly settledTo: Date
}

/**
 * Sends a batch's missing messages again while Segment still knows their ids.
 *
 * They do not go back to the queue, where the moment of their first send would be forgotten: a new batch is written
 * ahead that inherits it, as the halves of a split batch do. So if the source rests or is paused until the window is
 * over, they are parked as uncertain instead of being sent too late.
 */
const insideWindowSql = (t: Tables) => `
WITH chosen AS MATERIALIZED (
  SELECT m.message_id, m.seq, m.wire_bytes, b.source_id, b.first_ambiguous_at
  FROM ${t.message} m JOIN ${t.batch} b USING (batch_id)
  WHERE b.batch_id = $4::bigint AND m.message_id = ANY ($5::uuid[]) AND m.status = 'delivered' AND m.erased_at IS NULL
    AND b.first_ambiguous_at > clock_timestamp() - $6::bigint * interval '1 millisecond'
  FOR UPDATE OF m
), written AS (
  INSERT INTO ${t.batch} (source_id, lease_token, message_ids, first_seq, last_seq, wire_bytes, first_ambiguous_at)
  SELECT source_id, 0, array_agg(message_id ORDER BY seq), min(seq), max(seq), sum(wire_bytes), min(first_ambiguous_at)
  FROM chosen GROUP BY source_id
), changed AS (
  UPDATE ${t.message} m SET status = 'pending', reason = NULL, batch_id = NULL, settled_at = NULL
  FROM chosen c WHERE m.message_id = c.message_id
  RETURNING m.message_id
), ${audited(t, 'send again')}
SELECT count(*)::int AS n FROM changed`

/**
 * Returns how many are to be sent: those that are still as they were found, inside the window at this moment. They go
 * in batches of at most `batchMessages`: it may have been lowered because they went missing.
 */
export async function sendAgainInsideWindow(
  db: Database,
  batchId: string,
  messageIds: readonly string[],
  missing: Missing,
  by: Responsibility,
  { dedupWindowMs, batchMessages }: { dedupWindowMs: number; batchMessages: number },
): Promise<number> {
  let sent = 0
  for (let at = 0; at < messageIds.length; at += batchMessages) {
    const ids = messageIds.slice(at, at + batchMessages)
    const parameters = [by.actor, by.reason, JSON.stringify(missing), batchId, ids, dedupWindowMs]
    const [row] = await db.query<{ n: number }>(insideWindowSql(db.tables), parameters)
    sent += row?.n ?? 0
  }
  return sent
}

/** Sends messages again as new ones under their old ids, whatever the window: by explicit choice only. */
export async function sendAgainAsNew(
  db: Database,
  status: 'delivered' | 'uncertain',
  messageIds: readonly string[],
  missing: Missing,
  by: Responsibility,
): Promise<number> {
  const which = `m.status = '${status}' AND m.erased_at IS NULL`
  const [row] = await db.query<{ n: number }>(sendAgainSql(db.tables, which), [
    by.actor,
    by.reason,
    JSON.stringify(missing),
    messageIds.length,
    ...selectionParameters({ messageIds }),
  ])
  return row?.n ?? 0
}
