/**
 * Column names that Segment's warehouses keep for themselves. A property that becomes one of them is discarded.
 * Source: Segment documentation, "Warehouse Schemas", table columns of tracks, identifies, pages and groups.
 */
const reserved = new Set([
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

/** The column name Segment's warehouses give a property: `attemptId` and `attempt ID` become `attempt_id`. */
export function snakeCase(name: string): string {
  return name
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1_$2')
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1_$2')
    .replace(/[^\p{L}\p{N}]+/gu, '_')
    .replace(/^_+|_+$/g, '')
    .toLowerCase()
}

/** Whether a top-level property or trait of this name would be discarded on its way into a warehouse. */
export function isReservedColumn(property: string): boolean {
  return reserved.has(snakeCase(property))
}
