import { Client } from 'pg'
import type { MessageType } from '../../entities'
import { explainWarehouseError } from './warehouse-errors'
import { checkTarget, type WarehouseTarget } from './warehouse-target'

/** Segment's table of each type of call; `id` is its key and the messageId. Source: "Warehouse Schemas". */
const TABLES: Readonly<Record<MessageType, string>> = {
  track: 'tracks',
  identify: 'identifies',
  page: 'pages',
  group: 'groups',
}

const CONNECT_TIMEOUT_MS = 10_000
const FETCH_ROWS = 5000

/** A row of the warehouse, as far as it is compared. */
export interface WarehouseRow {
  readonly id: string
  readonly event: string | null
  /** Day it was received, UTC. */
  readonly day: string
}

/**
 * A read-only look into one schema of a warehouse: each statement in a READ ONLY transaction with a time limit of its
 * own, so that a pooler may stand between. Everything it throws is a WarehouseError, and none names the password.
 */
export class WarehouseSession {
  readonly #client: Client
  readonly #schema: string
  readonly #where: string
  readonly #password: string
  readonly #timeoutMs: number
  #tables: ReadonlySet<string> = new Set()

  private constructor({ url, schema }: WarehouseTarget, timeoutMs: number) {
    const { hostname, port, pathname, password } = new URL(url)
    this.#schema = schema
    this.#where = `${hostname || 'localhost'}:${port || 5432}${pathname}`
    this.#password = decodeURIComponent(password)
    this.#timeoutMs = timeoutMs
    this.#client = new Client({
      connectionString: url,
      application_name: 'synap-outbox reconcile',
      connectionTimeoutMillis: Math.min(timeoutMs, CONNECT_TIMEOUT_MS),
      query_timeout: timeoutMs + 5000, // where not even the time limit's error arrives
    })
    this.#client.on('error', () => undefined) // the statement that needs the connection says so
  }

  /** @param timeoutMs longest that one statement may take; it looks up, or reads on by, some thousand rows */
  static async open(target: WarehouseTarget, timeoutMs: number): Promise<WarehouseSession> {
    checkTarget(target)
    const session = new WarehouseSession(target, timeoutMs)
    await session.#explained(() => session.#client.connect())
    try {
      // A schema or a table that no event has reached yet does not exist.
      const found = await session.#read<{ name: string }>(
        `SELECT t.name FROM unnest($2::text[]) AS t(name) WHERE to_regclass(format('%I.%I', $1::text, t.name)) IS NOT NULL`,
        [target.schema, Object.values(TABLES)],
      )
      session.#tables = new Set(found.map(({ name }) => name))
      return session
    } catch (error) {
      await session.close()
      throw error
    }
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined)
  }

  /** How often each of these ids is in the table of its type; those that are not there have no entry. */
  async lookUp(type: MessageType, ids: readonly string[]): Promise<Map<string, number>> {
    const table = this.#relation(type)
    if (table === undefined || ids.length === 0) return new Map()
    const rows = await this.#read<{ id: string; n: number }>(
      `SELECT id, count(*)::int AS n FROM ${table} WHERE id = ANY ($1::text[]) GROUP BY id`,
      [ids],
    )
    return new Map(rows.map(({ id, n }) => [id, n]))
  }

  /** When the newest row was received. */
  async loadedThrough(): Promise<Date | null> {
    let newest: Date | null = null
    for (const type of Object.keys(TABLES) as MessageType[]) {
      const table = this.#relation(type)
      if (table === undefined) continue
      const [row] = await this.#read<{ at: Date | null }>(`SELECT max(received_at) AS at FROM ${table}`)
      if (row?.at && (!newest || row.at > newest)) newest = row.at
    }
    return newest
  }

  /** The rows received in a period, one pass over the table, some thousand at a time. */
  async *rows(type: MessageType, from: Date, to: Date): AsyncGenerator<WarehouseRow[]> {
    const table = this.#relation(type)
    if (table === undefined) return
    const event = type === 'track' ? 'event_text' : 'NULL'
    await this.#begin()
    try {
      await this.#query(
        `DECLARE period NO SCROLL CURSOR FOR
         SELECT id, ${event} AS event, (received_at AT TIME ZONE 'UTC')::date::text AS day
         FROM ${table} WHERE received_at >= $1 AND received_at < $2`,
        [from, to],
      )
      for (;;) {
        const rows = await this.#query<WarehouseRow>(`FETCH ${FETCH_ROWS} FROM period`)
        if (rows.length > 0) yield rows
        if (rows.length < FETCH_ROWS) return
      }
    } finally {
      await this.#client.query('ROLLBACK').catch(() => undefined)
    }
  }

  #relation(type: MessageType): string | undefined {
    const quoted = this.#schema.replaceAll('"', '""')
    return this.#tables.has(TABLES[type]) ? `"${quoted}"."${TABLES[type]}"` : undefined
  }

  async #read<Row>(sql: string, parameters?: unknown[]): Promise<Row[]> {
    await this.#begin()
    try {
      return await this.#query<Row>(sql, parameters)
    } finally {
      await this.#client.query('ROLLBACK').catch(() => undefined)
    }
  }

  #begin(): Promise<unknown> {
    return this.#query(`BEGIN TRANSACTION READ ONLY; SET LOCAL statement_timeout = ${this.#timeoutMs}`)
  }

  #query<Row>(sql: string, parameters?: unknown[]): Promise<Row[]> {
    return this.#explained(async () => (await this.#client.query(sql, parameters)).rows as Row[])
  }

  async #explained<Result>(run: () => Promise<Result>): Promise<Result> {
    try {
      return await run()
    } catch (error) {
      throw explainWarehouseError(error, this.#where, this.#password)
    }
  }
}
