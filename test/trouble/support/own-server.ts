import { randomBytes } from 'node:crypto'
import os from 'node:os'
import path from 'node:path'
import { Client } from 'pg'
import { DataSource } from 'typeorm'
import { outboxEntities } from '../../../entities'
import { outboxMigrations } from '../../../migrations'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../src/portal/embedded-postgres'

/** A PostgreSQL of a test's own, which it may kill, with the outbox's tables in its database `postgres`. */
export interface OwnServer {
  readonly url: string
  /** SIGKILL to the server and all of its sessions, as a machine that is lost would end them. */
  kill(): Promise<void>
  /** Starts it again on the same data and port; resolves when it takes connections. */
  restart(): Promise<void>
  /** A DataSource on it, which the caller destroys before the server is killed. */
  connect(): Promise<DataSource>
  stop(): Promise<void>
}

/** Starts that may fail because the killed server's children have not noticed its death yet. */
const STARTS = 20

export async function startOwnServer(): Promise<OwnServer> {
  const directory = path.join(
    os.tmpdir(),
    `synap-outbox-own-${process.pid}-${randomBytes(4).toString('hex')}`,
  )
  const start = (port?: number) =>
    startEmbeddedPostgres({ directory, keep: false, port, settings: { fsync: 'off', max_connections: '30' } })
  let server: EmbeddedPostgres = await start()
  const url = server.url('postgres')
  const connect = () =>
    new DataSource({
      type: 'postgres',
      url,
      entities: outboxEntities,
      migrations: outboxMigrations,
      synchronize: false,
    }).initialize()
  const dataSource = await connect()
  await dataSource.runMigrations()
  await dataSource.destroy()
  return {
    url,
    connect,
    async kill() {
      const client = new Client({ connectionString: url })
      await client.connect()
      const { rows } = await client.query<{ pid: number }>('SELECT pid FROM pg_stat_activity')
      const gone = new Promise((resolve) => client.on('error', resolve))
      // The sessions too: they would go on for the moment that it takes them to notice.
      for (const pid of [server.pid, ...rows.map((row) => row.pid)]) process.kill(pid, 'SIGKILL')
      await gone
    },
    async restart() {
      for (let starts = 1; ; starts++) {
        try {
          server = await start(server.port)
          return
        } catch (error) {
          if (starts === STARTS) throw error
        }
      }
    },
    stop: () => server.stop(),
  }
}
