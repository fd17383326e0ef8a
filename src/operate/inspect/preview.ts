import type { Database } from '../../database'
import type { Tables } from '../../tables'
import { IN_DOUBT, REFUSED } from '../redrive'
import { checkSelection, type Selection, selectionParameters, selectionSql } from '../selection'
import { COUNT_LIMIT, type Preview, SOURCE_COUNT_LIMIT } from './types'

const count = (t: Tables, which: string, limit: number) => `(SELECT count(*)::int FROM (
    SELECT FROM ${t.message} m LEFT JOIN ${t.batch} b USING (batch_id) WHERE ${which} AND ${selectionSql(1)} LIMIT ${limit}
  ) counted)`

/** Counted each by itself: a million delivered messages must not hide the dead ones behind the limit. */
const previewSql = (t: Tables) => `
SELECT ${count(t, REFUSED, COUNT_LIMIT)} AS refused, ${count(t, IN_DOUBT, COUNT_LIMIT)} AS "inDoubt",
       ${count(t, `m.status = 'dead' AND m.batch_id IS NULL`, COUNT_LIMIT)} AS diverted,
       ${count(t, `m.status = 'pending'`, COUNT_LIMIT)} AS pending,
       ${count(t, `m.status = 'delivered'`, SOURCE_COUNT_LIMIT)} AS delivered,
       ${count(t, `m.status = 'discarded'`, SOURCE_COUNT_LIMIT)} AS discarded`

/** What an operation on the selected messages would find. Throws OperationError for a selection that is no good. */
export async function previewSelection(db: Database, selection: Selection): Promise<Preview> {
  checkSelection(selection)
  const [row] = await db.query<Preview>(previewSql(db.tables), selectionParameters(selection))
  return row as Preview
}
