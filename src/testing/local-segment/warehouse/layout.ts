import { columnName, isReservedColumn, isReservedTable, snakeCase } from '../../../plan/warehouse-names'
import { isMessage, textField } from '../message-rules'
import type { ArrivedMessage } from '../messages'
import type { ColumnValue } from './values'

/** One row of one table, before its columns have types. */
export interface LaidOut {
  readonly table: string
  /** `latest` rows replace the row with the same id: they hold the latest state. */
  readonly kind: 'call' | 'latest'
  readonly columns: ReadonlyMap<string, ColumnValue>
}

/** The table of each type of call. */
const COLLECTIONS: Readonly<Record<string, string>> = {
  track: 'tracks',
  identify: 'identifies',
  page: 'pages',
  screen: 'screens',
  group: 'groups',
  alias: 'aliases',
}

/**
 * The rows of an accepted message. Source, unless said otherwise: Segment, "Warehouse Schemas", sections "Warehouse
 * tables", "How warehouse tables handle nested objects and arrays", "Tracks vs. Events Tables" and "Timestamps".
 *
 * Documented nowhere and taken so: of two properties whose names become one column the first is kept; an event whose
 * name has no letter or digit, or becomes the name of one of Segment's own tables, is in `tracks` only; `name` and `category` of a page are columns like its properties.
 */
export function layOut(arrived: ArrivedMessage, loadedAt: Date): LaidOut[] {
  const { message, type } = arrived
  const table = COLLECTIONS[type]
  if (table === undefined) return []
  const common = commonColumns(arrived, loadedAt)
  const own = ownColumns(message, type)
  switch (type) {
    case 'track': {
      const event = arrived.event ?? ''
      const slug = snakeCase(event)
      const named = new Map([...common, ['event', slug], ['event_text', event]] as [string, ColumnValue][])
      const rows: LaidOut[] = [{ table, kind: 'call', columns: named }]
      if (slug !== '' && !isReservedTable(slug)) {
        rows.push({ table: slug, kind: 'call', columns: merge(named, own) })
      }
      return rows
    }
    case 'identify': {
      const columns = merge(common, own)
      return [{ table, kind: 'call', columns }, ...latest('users', arrived.userId, columns)]
    }
    case 'group': {
      const columns = merge(new Map([...common, ['group_id', arrived.groupId ?? '']]), own)
      return [{ table, kind: 'call', columns }, ...latest('accounts', arrived.groupId, columns)]
    }
    default:
      return [{ table, kind: 'call', columns: merge(common, own) }]
  }
}

function commonColumns(arrived: ArrivedMessage, loadedAt: Date): Map<string, ColumnValue> {
  const { messageId, userId, anonymousId, receivedAt, sentAt, originalTimestamp, timestamp, message } =
    arrived
  const given = Object.entries({
    id: messageId,
    user_id: userId,
    anonymous_id: anonymousId,
    received_at: receivedAt.toISOString(),
    sent_at: sentAt?.toISOString(),
    original_timestamp: originalTimestamp?.toISOString(),
    timestamp: timestamp.toISOString(),
    uuid_ts: loadedAt.toISOString(),
  }).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const columns = new Map<string, ColumnValue>(given)
  flatten(columns, message.context, 'context')
  return columns
}

/** What the caller gave: properties or traits, un-prefixed, without those that would take a reserved column. */
function ownColumns(message: Readonly<Record<string, unknown>>, type: string): Map<string, ColumnValue> {
  const columns = new Map<string, ColumnValue>()
  if (type === 'page' || type === 'screen') {
    for (const field of ['name', 'category']) flatten(columns, textField(message, field), field)
  }
  flatten(columns, type === 'identify' || type === 'group' ? message.traits : message.properties, '')
  for (const name of columns.keys()) if (isReservedColumn(name)) columns.delete(name)
  return columns
}

/** Objects become one column for each of their fields, arrays become text. */
function flatten(columns: Map<string, ColumnValue>, value: unknown, name: string): void {
  if (isMessage(value)) {
    for (const [field, inner] of Object.entries(value)) {
      flatten(columns, inner, columnName([name, field].filter((part) => part !== '')))
    }
  } else if (value !== null && value !== undefined && name !== '' && !columns.has(name)) {
    columns.set(name, Array.isArray(value) ? JSON.stringify(value) : (value as ColumnValue))
  }
}

function merge(common: Map<string, ColumnValue>, own: Map<string, ColumnValue>): Map<string, ColumnValue> {
  return new Map([...own, ...common])
}

/** The id of `users` is the user's, that of `accounts` the group's; neither has an `anonymous_id`. */
function latest(table: string, id: string | undefined, columns: Map<string, ColumnValue>): LaidOut[] {
  if (id === undefined) return []
  const dropped = new Set([
    'anonymous_id',
    'user_id',
    'group_id',
    'sent_at',
    'original_timestamp',
    'timestamp',
  ])
  const kept = new Map([...columns].filter(([name]) => !dropped.has(name)))
  return [{ table, kind: 'latest', columns: kept.set('id', id) }]
}
