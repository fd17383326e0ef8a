import type { Database } from '../../database'
import type { Tables } from '../../tables'
import { listDispatchers } from './dispatchers'
import { COUNT_LIMIT, type Overview, SOURCE_COUNT_LIMIT } from './types'
import { ageMsSql, countInLineSql, oldestSql, waitingSql } from './waiting'

type Row = Omit<Overview, 'dispatchers' | 'sources'> & { enabled: number; paused: number; disabled: number }

/** Ordered by its index: the planner would read the whole table where its statistics are of yesterday. */
const settled = (t: Tables, status: string, limit: number) => `(SELECT count(*)::int FROM (
    SELECT FROM ${t.message} WHERE status = '${status}' AND status <> 'pending' ORDER BY settled_at LIMIT ${limit}
  ) counted)`

/** Delivered messages are the many: the planner's own estimate of all rows will do, unless it has none or they are few. */
const overviewSql = (t: Tables) => `
WITH RECURSIVE ${waitingSql(t)}, ${oldestSql(t)}, ${countInLineSql(t, COUNT_LIMIT)}, counted AS MATERIALIZED (
  SELECT (SELECT pending FROM in_line) AS pending, ${settled(t, 'dead', COUNT_LIMIT)} AS dead,
         ${settled(t, 'uncertain', COUNT_LIMIT)} AS uncertain, ${settled(t, 'discarded', COUNT_LIMIT)} AS discarded,
         ${settled(t, 'delivered', SOURCE_COUNT_LIMIT)} AS delivered,
         (SELECT reltuples FROM pg_class WHERE oid = to_regclass($1)) AS rows
), configured AS (
  SELECT count(*) FILTER (WHERE status = 'enabled')::int AS enabled,
         count(*) FILTER (WHERE status = 'paused')::int AS paused,
         count(*) FILTER (WHERE status = 'disabled')::int AS disabled
  FROM ${t.source}
)
SELECT clock_timestamp() AS at, c.pending, c.dead, c.uncertain, c.discarded,
       (CASE WHEN c.delivered < ${SOURCE_COUNT_LIMIT} THEN c.delivered
             ELSE greatest(c.rows - c.pending - c.dead - c.uncertain - c.discarded, c.delivered) END)::float8
         AS "deliveredEstimate",
       ${ageMsSql('o.at')} AS "lagMs",
       s.enabled, s.paused, s.disabled
FROM counted c, configured s, oldest o`

export async function readOverview(db: Database): Promise<Overview> {
  const [[row], dispatchers] = await Promise.all([
    db.query<Row>(overviewSql(db.tables), [db.tables.message]),
    listDispatchers(db),
  ])
  const { enabled, paused, disabled, ...counts } = row as Row
  return { ...counts, sources: { enabled, paused, disabled }, dispatchers }
}
