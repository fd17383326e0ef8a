import type { QueryRunner } from 'typeorm'
import { messageIdSql } from '../plan/message-id'
import { reached } from '../steps'
import type { Tables } from '../tables'
import type { Recorded } from './calls'
import type { PreparedCall } from './prepare'

/**
 * One statement for any number of calls: addresses each to its portal's active source, finishes its messageId, and
 * writes it. Rows are inserted in the order of the calls, so `seq` follows it.
 *
 * `pg_current_xact_id()` makes sure that the transaction has its id before it draws a `seq`: the low-water mark
 * relies on that (see dispatch/low-water-mark.ts).
 */
const recordSql = (t: Tables) => `
WITH call AS MATERIALIZED (
  SELECT * FROM jsonb_to_recordset($1::jsonb) AS c(
    i int, portal_id text, type text, event text, user_id text, anonymous_id text, body jsonb, wire_bytes int,
    occurred_at timestamptz, detailed boolean, schema_hash text, trace_parent text, digest text, message_id uuid,
    reason text)
), addressed AS MATERIALIZED (
  SELECT c.*, s.source_id, c.detailed AND NOT s.detailed_events AS off,
         CASE WHEN c.message_id IS NOT NULL THEN c.message_id
              WHEN s.source_id IS NOT NULL THEN ${messageIdSql('s.source_id', 'c.digest')} END AS id
  FROM call c LEFT JOIN ${t.source} s ON s.portal_id = c.portal_id AND s.status <> 'disabled'
), inserted AS (
  INSERT INTO ${t.message} (message_id, source_id, portal_id, type, event, user_id, anonymous_id, body, wire_bytes,
                            occurred_at, schema_hash, trace_parent, status, reason, settled_at)
  SELECT a.id, a.source_id, a.portal_id, a.type, a.event, a.user_id, a.anonymous_id, a.body, a.wire_bytes,
         a.occurred_at, a.schema_hash, a.trace_parent,
         CASE WHEN a.reason IS NULL THEN 'pending' ELSE 'dead' END, a.reason,
         CASE WHEN a.reason IS NULL THEN NULL ELSE clock_timestamp() END
  FROM addressed a
  WHERE a.source_id IS NOT NULL AND NOT a.off AND pg_current_xact_id() IS NOT NULL
  ORDER BY a.i
  ON CONFLICT (message_id) DO NOTHING
  RETURNING message_id
)
SELECT a.source_id, a.off, a.id, n.message_id IS NOT NULL AS inserted
FROM addressed a LEFT JOIN inserted n ON n.message_id = a.id
ORDER BY a.i`

interface Answer {
  source_id: string | null
  off: boolean | null
  id: string | null
  inserted: boolean
}

/** Writes the prepared calls in the runner's transaction. Returns what became of each, and the sources to wake. */
export async function writeMessages(
  runner: QueryRunner,
  tables: Tables,
  calls: readonly PreparedCall[],
): Promise<{ results: Recorded[]; sourceIds: Set<string> }> {
  const rows = calls.map(({ problems, ...row }, i) => ({
    ...row,
    i,
    reason: problems.length > 0 ? problems.join('; ') : null,
  }))
  reached('record:before')
  const answers: Answer[] = await runner.query(recordSql(tables), [JSON.stringify(rows)])
  reached('record:after')
  const sourceIds = new Set<string>()
  const seen = new Set<string>()
  const results = answers.map((answer, i): Recorded => {
    const problems = calls[i]?.problems ?? []
    const reported = problems.length > 0 ? { problems } : {}
    if (answer.source_id === null || answer.id === null) return { outcome: 'no-source', ...reported }
    if (answer.off) return { outcome: 'detailed-off', ...reported }
    // Two calls of one statement with the same natural key share one row: the first is the recorded one.
    if (!answer.inserted || seen.has(answer.id)) return { outcome: 'duplicate', messageId: answer.id }
    seen.add(answer.id)
    if (problems.length > 0) return { outcome: 'diverted', messageId: answer.id, problems }
    sourceIds.add(answer.source_id)
    return { outcome: 'recorded', messageId: answer.id }
  })
  return { results, sourceIds }
}
