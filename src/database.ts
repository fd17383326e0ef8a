import type { DataSource } from 'typeorm'
import { type Tables, tableNames } from './tables'

/** serialization_failure and deadlock_detected: the statement did nothing and may simply be repeated. */
const REPEATABLE = new Set(['40001', '40P01'])
const MAX_TRIES = 4

/**
 * The engine's way to the database: one autocommitted statement at a time, on the primary where TypeORM replicates,
 * without session state, so that a transaction-pooling PgBouncer may stand between.
 */
export class Database {
  readonly tables: Tables

  constructor(
    readonly dataSource: DataSource,
    schema?: string,
  ) {
    this.tables = tableNames(dataSource, schema)
  }

  /** Runs one statement that ends in SELECT. TypeORM gives other shapes for UPDATE and DELETE. */
  async query<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#query<Row>(sql, [...parameters])
      } catch (error) {
        const code = (error as { driverError?: { code?: string } }).driverError?.code ?? ''
        if (!REPEATABLE.has(code) || tries === MAX_TRIES) throw error
      }
    }
  }

  /**
   * Leaves pg nothing to keep. It assigns a function to a property for each query whose promise is awaited, V8 allocates
   * such functions in the old generation, and what they lead to outlives every young collection: a drain's pages were
   * copied twice each, and the heap grew until the next full collection. What this empties are the arrays that pg holds.
   */
  async #query<Row>(sql: string, values: unknown[]): Promise<Row[]> {
    const rows = (await this.dataSource.query(sql, values)) as Row[]
    values.length = 0
    return rows.splice(0)
  }
}
