/** The column types of Segment's warehouses, by their PostgreSQL names. Source: "Warehouse Schemas", "Data Types". */
export type ColumnType =
  | 'timestamp with time zone'
  | 'bigint'
  | 'double precision'
  | 'boolean'
  | 'character varying'

/** Longer strings are cut. Source: Segment, "Warehouse Schemas", "Column Sizing". */
const MAX_CHARACTERS = 512
const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})$/

/** A value as a column holds it; undefined where the column stays NULL. */
export type ColumnValue = string | number | boolean

/** The type that a column gets from its first value. Text in the form of ISO 8601 makes a timestamp. */
export function typeOf(value: ColumnValue): ColumnType {
  if (typeof value === 'boolean') return 'boolean'
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'bigint' : 'double precision'
  return isDateTime(value) ? 'timestamp with time zone' : 'character varying'
}

/**
 * A value for a column whose type an earlier value has fixed. A fraction loses its precision in a column of integers,
 * as documented; what does not fit at all is dropped, and the column stays NULL.
 */
export function coerce(value: ColumnValue, type: ColumnType): ColumnValue | undefined {
  switch (type) {
    case 'character varying':
      return cut(String(value))
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined
    case 'bigint':
      return typeof value === 'number' && Number.isSafeInteger(Math.trunc(value))
        ? Math.trunc(value)
        : undefined
    case 'double precision':
      return typeof value === 'number' ? value : undefined
    case 'timestamp with time zone':
      return typeof value === 'string' && isDateTime(value) ? value : undefined
  }
}

/** PostgreSQL's text holds neither U+0000 nor half a surrogate pair; cutting must not make one. */
function cut(text: string): string {
  const storable = text.replaceAll('\0', '')
  return [...storable.slice(0, 2 * MAX_CHARACTERS)].slice(0, MAX_CHARACTERS).join('').toWellFormed()
}

function isDateTime(text: string): boolean {
  return DATE_TIME.test(text) && !text.startsWith('0000') && !Number.isNaN(Date.parse(text))
}
