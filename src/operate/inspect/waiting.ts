import type { Tables } from '../../tables'

/** SQL: milliseconds since a moment on the database's clock, never below 0; null where the moment is. */
export const ageMsSql = (moment: string) =>
  `(CASE WHEN ${moment} IS NOT NULL
    THEN greatest(extract(epoch FROM clock_timestamp() - ${moment}) * 1000, 0) END)::float8`

const STRIDE = 1000

/**
 * SQL: CTE `in_line(pending)`: the number of pending messages, up to a limit. For a statement WITH RECURSIVE. It walks
 * their index in strides, so that the planner has no choice: with statistics from when everything was pending, it would
 * count them by reading the whole table.
 */
export const countInLineSql = (t: Tables, limit: number) => `stride(n, source_id, seq) AS (
  SELECT 0, '00000000-0000-0000-0000-000000000000'::uuid, 0::bigint
  UNION ALL
  SELECT s.n + 1, e.source_id, e.seq FROM stride s, LATERAL (
    SELECT m.source_id, m.seq FROM ${t.message} m
    WHERE m.status = 'pending' AND (m.source_id, m.seq) > (s.source_id, s.seq)
    ORDER BY m.source_id, m.seq OFFSET ${STRIDE - 1} LIMIT 1
  ) e WHERE s.n < ${limit / STRIDE}
), in_line AS (
  SELECT s.n * ${STRIDE} + CASE WHEN s.n < ${limit / STRIDE} THEN (SELECT count(*) FROM (
    SELECT FROM ${t.message} m WHERE m.status = 'pending' AND (m.source_id, m.seq) > (s.source_id, s.seq)
    ORDER BY m.source_id, m.seq LIMIT ${STRIDE - 1}
  ) rest)::int ELSE 0 END AS pending
  FROM stride s ORDER BY s.n DESC LIMIT 1
)`

/**
 * SQL: CTE `waiting(source_id, recorded_at)`: sources with pending messages, and when the first in line of each was
 * recorded. For a statement WITH RECURSIVE. It walks the partial index from source to source (a loose index scan), so
 * its work grows with the sources that wait, and neither with their backlog nor with what was delivered.
 */
export const waitingSql = (t: Tables) => `walk(source_id, recorded_at) AS (
  (SELECT source_id, recorded_at FROM ${t.message} WHERE status = 'pending' ORDER BY source_id, seq LIMIT 1)
  UNION ALL
  SELECT m.source_id, m.recorded_at FROM walk w, LATERAL (
    SELECT m.source_id, m.recorded_at FROM ${t.message} m
    WHERE m.status = 'pending' AND m.source_id > w.source_id ORDER BY m.source_id, m.seq LIMIT 1
  ) m
), waiting AS (SELECT source_id, recorded_at FROM walk)`

/** SQL: CTE `oldest(at)`: when the oldest pending message of an enabled source was recorded. Needs `waitingSql`. */
export const oldestSql = (t: Tables) => `oldest AS (
  SELECT min(w.recorded_at) AS at FROM waiting w JOIN ${t.source} s USING (source_id) WHERE s.status = 'enabled'
)`
