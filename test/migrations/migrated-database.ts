import { Client } from 'pg'
import { outboxEntities, outboxMigrations } from 'synap-outbox'
import { DataSource, type DataSourceOptions } from 'typeorm'
import { random } from '../support/scene'
import { databaseUrl, onServer } from '../support/template'

/** An empty database, for what the migrated template is no use to. */
export interface EmptyDatabase {
  readonly name: string
  readonly url: string
  /** A DataSource with nothing but the outbox, as an application's own would be; closed with the database. */
  connect(options?: Partial<DataSourceOptions>): Promise<DataSource>
  /** A plain connection whose search path is `schema`. */
  client<Result>(use: (client: Client) => Promise<Result>, schema?: string): Promise<Result>
  drop(): Promise<void>
}

export async function createEmptyDatabase(): Promise<EmptyDatabase> {
  const server = process.env.TEST_SERVER_URL as string
  const name = `synap_outbox_test_${random()}`
  await onServer(server, `CREATE DATABASE ${name}`)
  const url = databaseUrl(server, name)
  const opened: DataSource[] = []
  return {
    name,
    url,
    async connect(options = {}) {
      const dataSource = new DataSource({
        type: 'postgres',
        url,
        entities: [...outboxEntities],
        migrations: [...outboxMigrations],
        ...options,
      } as DataSourceOptions)
      opened.push(await dataSource.initialize())
      return dataSource
    },
    async client(use, schema = 'public') {
      const client = new Client({ connectionString: url, options: `-c search_path=${schema}` })
      await client.connect()
      try {
        return await use(client)
      } finally {
        await client.end()
      }
    },
    async drop() {
      for (const dataSource of opened) if (dataSource.isInitialized) await dataSource.destroy()
      await onServer(server, `DROP DATABASE ${name} WITH (FORCE)`)
    },
  }
}
