import type { Tables } from '../tables'

/**
 * SQL: `seq` of the first of the source's messages that are pending above a mark, if there is one. `$1` is the source.
 *
 * Not EXISTS, which looks at no order: where one portal has nearly all that waits, the planner expects any row of the
 * table to do, and then reads all of it for every other portal (`test/plans`).
 */
export const firstPending = (t: Tables, mark: string, but = 'true') => `
SELECT seq FROM ${t.message}
WHERE source_id = $1 AND status = 'pending' AND seq > ${mark} AND ${but}
ORDER BY seq LIMIT 1`

/**
 * SQL: whether a batch of the source is open, or another than `but`. Asked as above, for the same reason.
 *
 * @param source where its id comes from
 */
export const isOpen = (t: Tables, but = 'NULL', source = '$1') =>
  `(SELECT o.batch_id FROM ${t.batch} o
    WHERE o.source_id = ${source} AND o.outcome IS NULL AND o.batch_id IS DISTINCT FROM ${but}
    ORDER BY o.first_seq LIMIT 1) IS NOT NULL`
