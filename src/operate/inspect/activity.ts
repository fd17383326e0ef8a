import type { Database } from '../../database'
import { OperationError } from '../../errors'
import type { Tables } from '../../tables'
import { checkDate, checkLimit, checkUuid } from './check-input'
import { ACTIVITY_LIMIT, type ActivityOptions, type ActivityPoint } from './types'

/** SQL: the number of the span that a moment is in, from 0. */
const spanOf = (
  moment: string,
) => `width_bucket(extract(epoch FROM ${moment}), extract(epoch FROM $1::timestamptz),
    extract(epoch FROM $2::timestamptz), $3::int) - 1`

/**
 * Dead and uncertain messages are counted by themselves, along their index: those that were diverted had no batch.
 * Delivered ones are counted by their batches, 500 at a time.
 */
const activitySql = (t: Tables) => `
WITH settled AS (
  SELECT batch_id, outcome, settled_at, cardinality(message_ids) AS messages, attempts FROM ${t.batch}
  WHERE outcome IS NOT NULL AND settled_at >= $1 AND settled_at < $2 AND ($4::uuid IS NULL OR source_id = $4)
  ORDER BY settled_at DESC LIMIT ${ACTIVITY_LIMIT}
), open AS (
  SELECT attempts FROM ${t.batch} WHERE outcome IS NULL AND ($4::uuid IS NULL OR source_id = $4)
  LIMIT ${ACTIVITY_LIMIT}
), attempted AS (
  SELECT ${spanOf('a.at')} AS span, count(*)::int AS requests,
         count(*) FILTER (WHERE a.verdict <> 'accepted')::int AS failed,
         percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY a.ms) AS took
  FROM (SELECT attempts FROM settled UNION ALL SELECT attempts FROM open) b,
       LATERAL jsonb_array_elements(b.attempts) e,
       LATERAL (SELECT (e ->> 'at')::timestamptz + coalesce((e ->> 'ms')::float8, 0) * interval '1 millisecond' AS at,
                       (e ->> 'ms')::float8 AS ms, e ->> 'verdict' AS verdict) a
  WHERE a.at >= $1 AND a.at < $2
  GROUP BY 1
), delivered AS (
  SELECT ${spanOf('settled_at')} AS span, sum(messages)::int AS messages FROM settled
  WHERE outcome = 'delivered' GROUP BY 1
), failed AS (
  SELECT ${spanOf('settled_at')} AS span, count(*) FILTER (WHERE status = 'dead')::int AS dead,
         count(*) FILTER (WHERE status = 'uncertain')::int AS uncertain
  FROM (
    SELECT status, settled_at FROM ${t.message}
    WHERE status IN ('dead', 'uncertain') AND status <> 'pending' AND settled_at >= $1 AND settled_at < $2
      AND ($4::uuid IS NULL OR source_id = $4)
    LIMIT ${ACTIVITY_LIMIT}
  ) m GROUP BY 1
), sampled AS (
  SELECT ${spanOf('at')} AS span, max(pending) AS backlog, max(lag_ms)::float8 AS lag FROM ${t.sample}
  WHERE at >= $1 AND at < $2 AND $4::uuid IS NULL GROUP BY 1
)
SELECT $1::timestamptz + ($2::timestamptz - $1::timestamptz) / $3::int * s.span AS at,
       coalesce(d.messages, 0) AS delivered, coalesce(f.dead, 0) AS dead, coalesce(f.uncertain, 0) AS uncertain,
       coalesce(a.requests, 0) AS requests, coalesce(a.failed, 0) AS "failedRequests",
       a.took[1] AS "p50Ms", a.took[2] AS "p95Ms",
       w.backlog, w.lag AS "lagMs"
FROM generate_series(0, $3::int - 1) s(span)
LEFT JOIN attempted a USING (span) LEFT JOIN delivered d USING (span) LEFT JOIN failed f USING (span)
LEFT JOIN sampled w USING (span)
ORDER BY s.span`

/** What happened, span by span; see ActivityPoint. Throws OperationError where an option is no good. */
export async function readActivity(db: Database, options: ActivityOptions): Promise<ActivityPoint[]> {
  const { from, to, sourceId } = options
  checkDate('from', from)
  checkDate('to', to)
  checkUuid('sourceId', sourceId)
  const points = checkLimit(options.points, 60, 500)
  if (!(from < to)) {
    throw new OperationError(
      '`from` is not before `to`.',
      'There is no time in between to look at.',
      'Pass two Dates, the earlier one as `from`.',
    )
  }
  return db.query<ActivityPoint>(activitySql(db.tables), [from, to, points, sourceId ?? null])
}
