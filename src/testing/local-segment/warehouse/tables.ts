import { NAME_BYTES } from '../../../plan/warehouse-names'
import type { LaidOut } from './layout'
import { type ColumnType, coerce, typeOf } from './values'

/** What the warehouse is written through: a Client or a Pool of `pg`. */
export interface WarehouseClient {
  query(sql: string, parameters?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>
}

type Columns = Map<string, ColumnType>

/** A name that PostgreSQL stores whole; what the caller named is only ever used quoted. */
export function identifier(name: string): string {
  const bytes = Buffer.from(name.replaceAll('\0', ''))
  // A character that the cut splits is left out, not replaced.
  return bytes.length <= NAME_BYTES
    ? bytes.toString()
    : bytes.toString('utf8', 0, NAME_BYTES).replace(/\uFFFD+$/, '')
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** The tables of one source. They are created and widened as rows need them; nothing is ever taken away. */
export class SourceTables {
  readonly #schema: string
  readonly #tables = new Map<string, Columns>()

  private constructor(schema: string) {
    this.#schema = schema
  }

  /** Creates the schema where it is missing, and looks up what earlier runs have left in it. */
  static async open(client: WarehouseClient, schema: string): Promise<SourceTables> {
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${quoted(schema)}`)
    const { rows } = await client.query(
      'SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = $1',
      [schema],
    )
    const opened = new SourceTables(schema)
    for (const { table_name: table, column_name: column, data_type: type } of rows) {
      opened.#columnsOf(String(table)).set(String(column), type as ColumnType)
    }
    return opened
  }

  /** Writes rows of one table in one statement. A row whose id is there already is dropped, or brings it up to date. */
  async write(client: WarehouseClient, table: string, rows: readonly LaidOut[]): Promise<void> {
    const name = identifier(table)
    const relation = `${quoted(this.#schema)}.${quoted(name)}`
    const columns = await this.#widen(client, name, relation, rows)
    const records = rows.map((row) => record(row, columns))
    const latest = rows[0]?.kind === 'latest'
    const used = [...columns].filter(([column]) => records.some((fields) => column in fields))
    const names = used.map(([column]) => quoted(column))
    const updates = names.map((column) => `${column} = coalesce(EXCLUDED.${column}, stored.${column})`)
    await client.query(
      `INSERT INTO ${relation} AS stored (${names.join(', ')})
       SELECT * FROM jsonb_to_recordset($1::jsonb) AS r(${used.map(([column, type]) => `${quoted(column)} ${type}`).join(', ')})
       ON CONFLICT (id) DO ${latest ? `UPDATE SET ${updates.join(', ')}` : 'NOTHING'}`,
      [JSON.stringify(latest ? merged(records) : records)],
    )
  }

  /** A column is created with its first value, and the value fixes its type. */
  async #widen(
    client: WarehouseClient,
    name: string,
    relation: string,
    rows: readonly LaidOut[],
  ): Promise<Columns> {
    const columns = this.#columnsOf(name)
    const added: Columns = new Map()
    for (const row of rows) {
      for (const [column, value] of row.columns) {
        const stored = identifier(column)
        if (!columns.has(stored) && !added.has(stored)) {
          added.set(stored, TEXT_COLUMNS.has(stored) ? 'character varying' : typeOf(value))
        }
      }
    }
    if (added.size === 0) return columns
    if (columns.size === 0) {
      await client.query(`CREATE TABLE IF NOT EXISTS ${relation} (id character varying PRIMARY KEY)`)
      columns.set('id', 'character varying')
      added.delete('id')
    }
    const definitions = [...added].map(
      ([column, type]) => `ADD COLUMN IF NOT EXISTS ${quoted(column)} ${type}`,
    )
    await client.query(`ALTER TABLE ${relation} ${definitions.join(', ')}`)
    // Segment's own sort key; the way to a period's rows.
    if (added.has('received_at')) await client.query(`CREATE INDEX ON ${relation} (received_at)`)
    for (const [column, type] of added) columns.set(column, type)
    return columns
  }

  #columnsOf(table: string): Columns {
    const columns = this.#tables.get(table) ?? new Map<string, ColumnType>()
    this.#tables.set(table, columns)
    return columns
  }
}

/** Columns whose type is Segment's, whatever an id happens to look like. */
const TEXT_COLUMNS = new Set(['id', 'user_id', 'anonymous_id', 'group_id', 'event', 'event_text'])

function record(row: LaidOut, columns: Columns): Record<string, unknown> {
  const fields: Record<string, unknown> = Object.create(null)
  for (const [column, value] of row.columns) {
    const stored = identifier(column)
    const fitting = coerce(value, columns.get(stored) as ColumnType)
    if (fitting !== undefined && !(stored in fields)) fields[stored] = fitting
  }
  return fields
}

/** One statement cannot bring a row up to date twice. */
function merged(records: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  const byId = new Map<unknown, Record<string, unknown>>()
  for (const fields of records) byId.set(fields.id, { ...byId.get(fields.id), ...fields })
  return [...byId.values()]
}
