import { randomBytes } from 'node:crypto'
import type { DataSource, DataSourceOptions } from 'typeorm'
import { createDataSource } from '../../ormconfig'
import { databaseUrl, onServer } from './template'

export interface TestDatabase {
  readonly url: string
  readonly dataSource: DataSource
  /** One more DataSource on the same database, as another process would have; closed with the database. */
  connect(options?: Partial<DataSourceOptions>): Promise<DataSource>
  drop(): Promise<void>
}

/** A fresh clone of the migrated template. Call in `beforeAll`, and `drop()` in `afterAll`. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = process.env.TEST_SERVER_URL as string
  const name = `synap_outbox_test_${randomBytes(6).toString('hex')}`
  await onServer(server, `CREATE DATABASE ${name} TEMPLATE ${process.env.TEST_TEMPLATE as string}`)
  const url = databaseUrl(server, name)
  const opened: DataSource[] = []
  const connect = async (options: Partial<DataSourceOptions> = {}) => {
    const dataSource = await createDataSource({ url, ...options }).initialize()
    opened.push(dataSource)
    return dataSource
  }
  return {
    url,
    dataSource: await connect(),
    connect,
    async drop() {
      for (const dataSource of opened) if (dataSource.isInitialized) await dataSource.destroy()
      await onServer(server, `DROP DATABASE ${name} WITH (FORCE)`)
    },
  }
}
