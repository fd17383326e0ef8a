import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { load, loadServers } from '../../scripts/storm-build.mjs'
import { startSink } from './sink.mjs'
import { createWorld } from './world.mjs'

/** What differs from PostgreSQL's defaults: room enough that neither memory nor checkpoints are what is measured. */
export const SERVER_SETTINGS = {
  shared_buffers: '4GB',
  max_wal_size: '16GB',
  checkpoint_timeout: '30min',
  max_connections: '200',
  wal_level: 'logical',
}

/** How long a database that is to be dropped is left to those who are still in it. */
const PATIENCE_MS = 5000

/** A fresh PostgreSQL with fsync on, the stand-in for Segment, and databases as scenarios want them. */
export async function createStage(folder) {
  const { startEmbeddedPostgres } = await loadServers(folder)
  const module = await load(folder)
  const parent = mkdtempSync(path.join(tmpdir(), 'synap-outbox-bench-'))
  const server = await startEmbeddedPostgres({
    directory: path.join(parent, 'data'),
    keep: false,
    settings: SERVER_SETTINGS,
  })
  const sink = await startSink()
  const serverUrl = server.url('postgres')
  let databases = 0

  /** @param template another world's name: its database is copied, with all that is in it */
  async function createDatabase(template) {
    const name = `bench_${++databases}`
    await query(
      serverUrl,
      `CREATE DATABASE ${name}${template ? ` TEMPLATE ${template} STRATEGY FILE_COPY` : ''}`,
    )
    return {
      name,
      url: server.url(name),
      async drop() {
        await left(name)
        await query(serverUrl, `DROP DATABASE ${name} WITH (FORCE)`)
      },
    }
  }

  /** Waits for sessions that are closing: a peer's pool that is ended, and cut off meanwhile, throws at nobody. */
  async function left(name) {
    const deadline = performance.now() + PATIENCE_MS
    const sessions = `SELECT FROM pg_stat_activity WHERE datname = '${name}' AND backend_type = 'client backend'`
    while ((await query(serverUrl, sessions)).rowCount > 0 && performance.now() < deadline) await pause(20)
  }

  return {
    folder,
    sink,
    module,
    createDatabase,
    /** A database with the outbox in it and portals connected. See `createWorld`. */
    async world(options) {
      const database = await createDatabase(options?.like?.name)
      return createWorld({ module, folder, sink, database }, options)
    },
    /** A session of its own, apart from every pool. */
    session: (database) => connect(database.url),
    /** What the server says of itself. @param name of a setting that can only be read */
    show: async (name) => (await query(serverUrl, `SHOW ${name}`)).rows[0][name],
    async end() {
      await sink.close()
      await server.stop()
      rmSync(parent, { recursive: true, force: true })
    },
  }
}

async function connect(url) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return client
}

async function query(url, statement) {
  const client = await connect(url)
  return client.query(statement).finally(() => client.end())
}
