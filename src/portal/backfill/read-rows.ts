import type { BackfillPage } from 'synap-outbox'

/** The columns of every fact. */
export interface FactRow {
  id: string
  userId: string
  at: Date
}

/** Where the facts of one event are. Constants of this folder: they become part of a statement. */
export interface FactTable {
  /** The table `f`, which has the columns id, portal_id and user_id, and what it is joined with. */
  readonly from: string
  /** The column with the moment of the fact. */
  readonly at: string
  /** Further columns, each `… AS "name"`. */
  readonly columns?: readonly string[]
}

const FIRST = '00000000-0000-0000-0000-000000000000'

/** The next facts of a portal, by primary key: an order that never changes, and an index that leads to any place of it. */
export async function readRows<Row extends FactRow>(
  { manager, portalId, from, to, after, limit }: BackfillPage,
  table: FactTable,
): Promise<Row[]> {
  const columns = ['f.id', 'f.user_id AS "userId"', `${table.at} AS at`, ...(table.columns ?? [])]
  return manager.query(
    `SELECT ${columns.join(', ')} FROM ${table.from}
     WHERE f.portal_id = $1 AND ${table.at} >= $2 AND ${table.at} < $3 AND f.id > $4
     ORDER BY f.id LIMIT $5`,
    [portalId, from, to, after ?? FIRST, limit],
  )
}

/** What every fact has; its properties are the event's own. */
export function factOf<Properties>({ id, userId, at }: FactRow, properties: Properties) {
  return { cursor: id, userId, timestamp: at, properties }
}
