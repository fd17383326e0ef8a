import type { Pool } from 'pg'
import { snakeCase } from '../../../plan/warehouse-names'
import type { ArrivedMessage } from '../messages'
import { type LaidOut, layOut } from './layout'
import { identifier, SourceTables, type WarehouseClient } from './tables'

export interface WarehouseOptions {
  /** A PostgreSQL database to lay accepted messages out in, one schema for each source: its URL, or a pg Pool or Client. */
  url?: string
  client?: WarehouseClient
  /**
   * Milliseconds between loads. Segment loads in bulk, hourly at best ("Warehouse Syncs"). Default: only
   * `loadWarehouse()` loads, so that a test says when.
   */
  loadEveryMs?: number
}

/** Messages written by one statement. */
const CHUNK = 1000

/** What reached the workspaces, as Segment's PostgreSQL warehouse has it: loaded in bulk, some time after the 200. */
export class Warehouse {
  readonly #client: WarehouseClient
  readonly #pool: Pool | undefined
  readonly #sources = new Map<string, SourceTables>()
  readonly #timer: NodeJS.Timeout | undefined
  #waiting: { schema: string; message: ArrivedMessage }[] = []
  #loading: Promise<void> = Promise.resolve()

  constructor({ url, client, loadEveryMs }: WarehouseOptions) {
    if ((url === undefined) === (client === undefined)) {
      throw new TypeError('The warehouse takes either a url or a client.')
    }
    this.#pool = url === undefined ? undefined : poolOf(url)
    this.#client = client ?? (this.#pool as Pool)
    if (loadEveryMs !== undefined) {
      this.#timer = setInterval(() => {
        this.load().catch((error) => process.emitWarning(`The local Segment's warehouse: ${error}`))
      }, loadEveryMs)
      this.#timer.unref()
    }
  }

  /** A message has reached its source; it is in the warehouse after the next load. */
  add(schema: string, message: ArrivedMessage): void {
    this.#waiting.push({ schema, message })
  }

  /** Forgets what was not loaded. What was loaded stays. */
  reset(): void {
    this.#waiting = []
  }

  /** Loads what waits. What a failed load did not write waits for the next; written twice, it is there once. */
  load(): Promise<void> {
    const load = this.#loading.catch(() => undefined).then(() => this.#load())
    this.#loading = load
    return load
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#loading.catch(() => undefined)
    await this.#pool?.end()
  }

  async #load(): Promise<void> {
    while (this.#waiting.length > 0) {
      const waiting = this.#waiting
      const chunk = waiting.slice(0, CHUNK)
      for (const [schema, tables] of bySchemaAndTable(chunk, new Date())) {
        const source = this.#sources.get(schema) ?? (await SourceTables.open(this.#client, schema))
        this.#sources.set(schema, source)
        for (const [table, rows] of tables) await source.write(this.#client, table, rows)
      }
      if (this.#waiting === waiting) waiting.splice(0, chunk.length)
    }
  }
}

/** Only now: a local Segment without a warehouse needs no driver. */
function poolOf(url: string): Pool {
  const { Pool } = require('pg') as typeof import('pg')
  return new Pool({ connectionString: url, max: 1 })
}

/** The schema of a source, from its name. Source: "Warehouse Schemas": `<source>.<collection>.<property>`. */
export function schemaName(source: string): string {
  return identifier(snakeCase(source) || 'source')
}

function bySchemaAndTable(
  chunk: readonly { schema: string; message: ArrivedMessage }[],
  loadedAt: Date,
): Map<string, Map<string, LaidOut[]>> {
  const schemas = new Map<string, Map<string, LaidOut[]>>()
  for (const { schema, message } of chunk) {
    const tables = schemas.get(schema) ?? new Map<string, LaidOut[]>()
    schemas.set(schema, tables)
    for (const row of layOut(message, loadedAt))
      tables.set(row.table, [...(tables.get(row.table) ?? []), row])
  }
  return schemas
}
