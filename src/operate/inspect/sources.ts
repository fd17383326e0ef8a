import type { Database } from '../../database'
import type { Tables } from '../../tables'
import { checkLimit, checkOneOf, checkText, checkUuid } from './check-input'
import { aliveSql } from './dispatchers'
import { diagnose, type SourceFacts } from './source-health'
import {
  SOURCE_COUNT_LIMIT,
  type SourceFilter,
  type SourceHealth,
  type SourceState,
  type SourceWarehouse,
} from './types'
import { ageMsSql, waitingSql } from './waiting'

const HEALTHS = [
  'refused',
  'failing',
  'behind',
  'healthy',
  'paused',
  'disabled',
] as const satisfies SourceHealth[]

/** Nothing delivered for this long, while something has waited for as long: nobody works the backlog off. */
const aMinuteAgo = `clock_timestamp() - interval '1 minute'`

/** SQL: SOURCE_COUNT_LIMIT bounds the count of one source's messages in one status. */
const failed = (t: Tables, status: 'dead' | 'uncertain') => `(SELECT count(*)::int FROM (
    SELECT FROM ${t.message} m
    WHERE m.portal_id = s.portal_id AND m.status = '${status}' AND m.source_id = s.source_id LIMIT ${SOURCE_COUNT_LIMIT}
  ) counted)`

/**
 * Ranks all sources by what is known of them without counting, and counts for those that are shown only: with 10,000
 * sources the work is one walk over those that wait, and two index probes for each.
 */
const sourcesSql = (t: Tables) => `
WITH RECURSIVE ${waitingSql(t)}, dispatching AS MATERIALIZED (
  SELECT EXISTS (SELECT FROM ${t.dispatcher} d WHERE ${aliveSql}) AS alive
), facts AS MATERIALIZED (
  SELECT s.source_id, s.portal_id, s.region, s.status, s.detailed_events, s.verification, s.verified_at,
         s.write_key_last_four, w.recorded_at AS oldest_at, coalesce(d.failures, 0) AS failures,
         CASE WHEN d.resume_at > clock_timestamp() THEN d.resume_at END AS resume_at,
         d.last_error, d.last_delivered_at, d.last_failed_at, d.lease_owner,
         CASE WHEN d.lease_owner IS NOT NULL THEN d.lease_expires_at END AS lease_expires_at,
         o.verdict AS last_verdict, h.schema_name, h.lag_hours, h.canary_minutes, h.reconciled_at, h.missing,
         h.canary_lost_since
  FROM ${t.source} s LEFT JOIN ${t.delivery} d USING (source_id) LEFT JOIN waiting w USING (source_id)
  LEFT JOIN ${t.warehouse} h USING (source_id)
  LEFT JOIN LATERAL (
    SELECT b.attempts -> -1 ->> 'verdict' AS verdict FROM ${t.batch} b
    WHERE d.failures > 0 AND b.source_id = s.source_id AND b.outcome IS NULL ORDER BY b.first_seq LIMIT 1
  ) o ON true
  WHERE ($1::text IS NULL OR s.portal_id = $1) AND ($2::uuid IS NULL OR s.source_id = $2)
), judged AS (
  SELECT f.*, CASE
      WHEN f.status <> 'enabled' THEN f.status
      WHEN f.verification = 'unknown' THEN 'refused'
      WHEN f.failures > 0 AND (f.last_verdict = 'refused-source' OR f.last_error LIKE '%secret key "%') THEN 'refused'
      WHEN f.failures > 0 THEN 'failing'
      WHEN f.canary_lost_since IS NOT NULL THEN 'refused'
      WHEN f.oldest_at < ${aMinuteAgo} AND coalesce(f.last_delivered_at, '-infinity') < ${aMinuteAgo} THEN 'behind'
      ELSE 'healthy' END AS health
  FROM facts f
), ranked AS (
  SELECT * FROM judged
  WHERE ($3::text IS NULL OR health = $3)
  ORDER BY array_position(ARRAY[${HEALTHS.map((health) => `'${health}'`).join(', ')}], health),
           oldest_at NULLS LAST, last_failed_at DESC NULLS LAST, portal_id, source_id
  LIMIT $4
)
SELECT s.source_id AS "sourceId", s.portal_id AS "portalId", s.region, s.status, s.detailed_events AS "detailedEvents",
       s.verification, s.verified_at AS "verifiedAt", s.write_key_last_four AS "writeKeyLastFour",
       CASE WHEN s.oldest_at IS NULL THEN 0 ELSE (SELECT count(*)::int FROM (
         SELECT FROM ${t.message} m WHERE m.status = 'pending' AND m.source_id = s.source_id
         ORDER BY m.seq LIMIT ${SOURCE_COUNT_LIMIT}
       ) counted) END AS pending,
       ${ageMsSql('s.oldest_at')} AS "lagMs",
       ${failed(t, 'dead')} AS dead, ${failed(t, 'uncertain')} AS uncertain,
       s.failures, s.resume_at AS "resumeAt", s.last_error AS "lastError", s.last_delivered_at AS "lastDeliveredAt",
       s.last_failed_at AS "lastFailedAt", s.lease_owner AS "leaseOwner", s.lease_expires_at AS "leaseExpiresAt",
       s.health, dispatching.alive AS dispatching, s.schema_name AS "warehouseSchema", s.lag_hours AS "lagHours",
       s.canary_minutes AS "canaryMinutes", s.reconciled_at AS "reconciledAt", s.missing,
       s.canary_lost_since AS "canaryLostSince"
FROM ranked s, dispatching`

/** Sources, those in the most trouble first; see SourceFilter. Throws OperationError where the filter is no good. */
export async function listSources(db: Database, filter: SourceFilter = {}): Promise<SourceState[]> {
  const { portalId, sourceId, health } = filter
  checkText('portalId', portalId)
  checkUuid('sourceId', sourceId)
  checkOneOf('health', health, HEALTHS)
  const limit = checkLimit(filter.limit, 100, 1000)
  const parameters = [portalId ?? null, sourceId ?? null, health ?? null, limit]
  const rows = await db.query<Row>(sourcesSql(db.tables), parameters)
  return rows.map(stateOf)
}

type Row = Omit<SourceFacts, 'warehouse'> &
  Omit<SourceWarehouse, 'schema'> & { warehouseSchema: string | null }

function stateOf(row: Row): SourceState {
  const {
    dispatching,
    warehouseSchema,
    lagHours,
    canaryMinutes,
    reconciledAt,
    missing,
    canaryLostSince,
    ...source
  } = row
  const found = { lagHours, canaryMinutes, reconciledAt, missing, canaryLostSince }
  const facts = {
    ...source,
    warehouse: warehouseSchema === null ? null : { schema: warehouseSchema, ...found },
  }
  return { ...facts, ...diagnose({ ...facts, dispatching }) }
}
