/**
 * Column names that Segment's warehouses keep for themselves. A property that becomes one of them is discarded.
 * Source: Segment documentation, "Warehouse Schemas", table columns of tracks, identifies, pages and groups.
 */
const reservedColumns = new Set([
  'id',
  'user_id',
  'anonymous_id',
  'event',
  'event_text',
  'timestamp',
  'original_timestamp',
  'sent_at',
  'received_at',
  'loaded_at',
  'uuid',
  'uuid_ts',
])

/** Tables that Segment's warehouses have beside those of the events. Source: the same document, "Warehouse tables". */
const reservedTables = new Set([
  'accounts',
  'aliases',
  'groups',
  'identifies',
  'pages',
  'screens',
  'tracks',
  'users',
])

/** Bytes of a name that PostgreSQL keeps (its documentation, "Identifiers and Key Words"); the rest is cut off. */
export const NAME_BYTES = 63

/**
 * The table or column name that Segment's warehouses give an event or a property: `attemptId` and `Attempt ID` become
 * `attempt_id`. Segment names the algorithm, its package go-snakecase, and these are its rules: a word is a run of
 * capitals and digits with the small letters and digits after it (`HTTPStatus` is one word, `httpstatus`), everything
 * but ASCII letters and digits parts words, and a name that begins as a column name is kept as far as it is one.
 */
export function snakeCase(name: string): string {
  const kept = /^(?:[a-z\d]|_(?=[a-z\d]))*/.exec(name)?.[0].length ?? 0
  if (kept === name.length) return name
  // A digit before a capital belongs to the word that the capital begins.
  const start = /\d/.test(name.charAt(kept - 1)) ? kept - 1 : kept
  const words = name.slice(start).match(/[A-Z\d]+[a-z\d]*|[a-z]+[a-z\d]*/g) ?? []
  return [name.slice(0, start), ...words]
    .filter((word) => word !== '')
    .join('_')
    .toLowerCase()
}

/** The column of a property inside objects, which warehouses flatten: `price.netAmount` becomes `price_net_amount`. */
export function columnName(path: readonly string[]): string {
  return path
    .map(snakeCase)
    .filter((name) => name !== '')
    .join('_')
}

/** Whether a top-level property or trait of this name would be discarded on its way into a warehouse. */
export function isReservedColumn(property: string): boolean {
  let reserved = judged.get(property)
  if (reserved === undefined) {
    reserved = reservedColumns.has(snakeCase(property))
    if (judged.size < JUDGED) judged.set(property, reserved)
  }
  return reserved
}

/** Names that were asked for: each recorded call asks for the same few again. Five took 2.6 of the 19 µs of preparing it. */
const judged = new Map<string, boolean>()
/** Names kept. Callers choose names of traits, so there may be any number. */
const JUDGED = 1_000

/** Whether a warehouse has a table of this name that is not an event's. */
export function isReservedTable(table: string): boolean {
  return reservedTables.has(table)
}
