import type { Database } from '../database'
import type { Tables } from '../tables'
import { COUNT_LIMIT } from './inspect/types'
import { ageMsSql, countInLineSql, oldestSql, waitingSql } from './inspect/waiting'

/** The console's longest plot, and a day. */
const KEPT_DAYS = 8

/** Subqueries in the list of SELECT run for rows of `due` only: in a minute that has its sample, nothing is counted. */
const sampleSql = (t: Tables) => `
WITH RECURSIVE ${waitingSql(t)}, ${oldestSql(t)}, ${countInLineSql(t, COUNT_LIMIT)}, due AS MATERIALIZED (
  SELECT minute.at FROM (SELECT date_trunc('minute', now()) AS at) minute
  WHERE NOT EXISTS (SELECT FROM ${t.sample} s WHERE s.at = minute.at)
), sampled AS (
  INSERT INTO ${t.sample} (at, lag_ms, pending)
  SELECT at, coalesce((SELECT ${ageMsSql('o.at')} FROM oldest o), 0), (SELECT pending FROM in_line) FROM due
  ON CONFLICT DO NOTHING
), expired AS (
  DELETE FROM ${t.sample} WHERE at < now() - interval '${KEPT_DAYS} days'
)
SELECT 1`

/**
 * Notes backlog and lag for the plots of the console, unless another process has done so in this minute, and removes
 * what is older than they reach. Bounded like a look at the overview.
 */
export async function takeSample(db: Database): Promise<void> {
  await db.query(sampleSql(db.tables))
}
