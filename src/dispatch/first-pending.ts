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
