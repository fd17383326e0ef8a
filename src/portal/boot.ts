import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { Client } from 'pg'
import { createOutbox, synapPlan } from 'synap-outbox'
import { type LocalSegment, startLocalSegment } from 'synap-outbox/testing'
import type { DataSource } from 'typeorm'
import { createDataSource } from '../../ormconfig'
import type { PortalContext, PortalOutbox } from './context'
import { startEmbeddedPostgres } from './embedded-postgres'
import { createPortalApp, type PortalOptions } from './http/app'
import { CONSOLE, operationsConsole } from './http/operations-console'
import { StartError, type StartSettings } from './settings'

/** Everything that `npm start` runs, up and connected. */
export interface Running {
  readonly dataSource: DataSource
  readonly outbox: PortalOutbox
  /** Present unless the settings name a Segment of their own. */
  readonly segment?: LocalSegment
  readonly portalUrl: string
  /** The operations console, and the password of its one operator in this run. */
  readonly console: { readonly url: string; readonly password: string }
  readonly databaseUrl: string
  /** What the local Segment has received, as a portal's warehouse has it. On the embedded PostgreSQL only. */
  readonly warehouseUrl?: string
  /** Stops in the order of dependence: no new requests, what waits is sent, then the database. */
  stop(options: { drain: boolean }): Promise<void>
}

export interface BootOptions extends StartSettings {
  /** The students' time: what the services stamp and the tracking calls carry. */
  readonly clock: () => Date
}

/** Where the embedded database and its secret key are kept between runs. */
const HOME = '.synap'
/** Segment loads hourly at best; nobody who looks at a demonstration waits that long. */
const LOAD_EVERY_MS = 2000

/** Starts everything, or stops what it had started and throws StartError with one sentence. */
export async function boot(options: BootOptions): Promise<Running> {
  const stops: (() => Promise<unknown>)[] = []
  const stopAll = async () => {
    for (const stop of stops.toReversed()) await stop()
  }
  try {
    const database = await startDatabase(options)
    stops.push(database.stop)
    const dataSource = await connect(database.url)
    stops.push(() => dataSource.destroy())
    const { warehouseUrl } = database
    const warehouse = warehouseUrl ? { url: warehouseUrl, loadEveryMs: LOAD_EVERY_MS } : undefined
    const segment =
      options.writeKey || options.segmentHost ? undefined : await startLocalSegment({ warehouse })
    if (segment) stops.push(() => segment.close())
    const host = segment ? { us: segment.url, eu: segment.euUrl } : options.segmentHost
    const outbox: PortalOutbox = createOutbox({
      dataSource,
      secretKeys: options.secretKeys ?? database.secretKeys,
      plan: synapPlan,
      segment: { host },
    })
    await outbox.start()
    stops.push(() => outbox.stop())
    const settings: Partial<PortalContext['settings']> = { passwordCost: 11 } // demonstration passwords, many of them
    const password = randomBytes(9).toString('base64url')
    const portal = { dataSource, outbox, clock: options.clock, settings }
    const server = await listen(options.port, portal, password)
    stops.push(server.close)
    return {
      dataSource,
      outbox,
      segment,
      portalUrl: server.url,
      console: { url: server.url + CONSOLE, password },
      databaseUrl: database.url,
      warehouseUrl: segment && warehouseUrl,
      async stop({ drain }) {
        await stops.pop()?.()
        if (drain) await outbox.drain()
        if (drain && warehouse) await segment?.loadWarehouse()
        await stopAll()
      },
    }
  } catch (error) {
    await stopAll()
    throw error
  }
}

async function startDatabase({ databaseUrl, once: throwAway, reset }: StartSettings) {
  if (databaseUrl) {
    return { url: databaseUrl, warehouseUrl: undefined, secretKeys: undefined, stop: async () => undefined }
  }
  const directory = throwAway
    ? path.join(os.tmpdir(), `synap-outbox-once-${process.pid}`)
    : path.resolve(HOME, 'postgres')
  const server = await startEmbeddedPostgres({ directory, keep: !throwAway }).catch((error: Error) => {
    throw new StartError(`The embedded PostgreSQL does not start: ${error.message}`)
  })
  await ensureDatabase(server.url('postgres'), 'synap', reset)
  if (!throwAway) await ensureDatabase(server.url('postgres'), 'warehouse', reset)
  return {
    url: server.url('synap'),
    warehouseUrl: throwAway ? undefined : server.url('warehouse'),
    secretKeys: throwAway ? newSecretKeys() : keptSecretKeys(reset),
    stop: () => server.stop(),
  }
}

async function ensureDatabase(serverUrl: string, name: string, reset: boolean): Promise<void> {
  const client = new Client({ connectionString: serverUrl })
  await client.connect()
  try {
    if (reset) await client.query(`DROP DATABASE IF EXISTS ${name}`)
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name])
    if (rowCount === 0) await client.query(`CREATE DATABASE ${name}`)
  } finally {
    await client.end()
  }
}

/** The key has to live as long as the write keys that it encrypts. */
function keptSecretKeys(reset: boolean): string {
  const file = path.resolve(HOME, 'secret-keys')
  if (reset || !fs.existsSync(file)) {
    fs.mkdirSync(HOME, { recursive: true })
    fs.writeFileSync(file, newSecretKeys(), { mode: 0o600 })
  }
  return fs.readFileSync(file, 'utf8')
}

function newSecretKeys(): string {
  return `k1:${randomBytes(32).toString('base64')}`
}

async function connect(url: string): Promise<DataSource> {
  const dataSource = createDataSource({ url })
  try {
    await dataSource.initialize()
  } catch (error) {
    const { host, pathname } = new URL(url)
    throw new StartError(
      `PostgreSQL does not answer at ${host}${pathname} (${(error as Error).message || 'no connection'}): check that ` +
        'it runs and that DATABASE_URL is right, or unset DATABASE_URL to use the embedded one.',
    )
  }
  await dataSource.runMigrations()
  return dataSource
}

async function listen(port: number, options: PortalOptions, operatorPassword: string) {
  const portal = getRequestListener(createPortalApp(options).fetch)
  const operations = operationsConsole(options.outbox, operatorPassword)
  const server = http.createServer((request, response) => {
    operations(request, response, () => void portal(request, response))
  })
  server.listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const reason = code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${message})`
    throw new StartError(`Port ${port} ${reason}: choose another one, like PORT=${port + 1} npm start.`)
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
