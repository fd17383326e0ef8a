import type { Outbox, OutboxOptions, ReconcileOptions, SourceComparison, synapPlan } from 'synap-outbox'
import { type LocalSegment, type LocalSegmentOptions, startLocalSegment } from 'synap-outbox/testing'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { beganTest, type Connected, createScene, random, type Scene } from '../support/scene'

/** A scene whose local Segment loads into a warehouse, which the outbox reads with a role that may only SELECT. */
export interface WarehouseScene {
  readonly scene: Scene
  readonly segment: LocalSegment
  readonly warehouse: TestDatabase
  /** The address of the reading role, its password included. */
  readonly readerUrl: string
  readonly readerPassword: string
  outbox(options?: Partial<OutboxOptions<typeof synapPlan>>): Outbox
  /** A connected portal; its warehouse is known unless `warehouse: false`. */
  connect(outbox: Outbox, options?: { canaryMinutes?: number; warehouse?: boolean }): Promise<WarehousePortal>
  /** Records one Began Test for each name, in one transaction, and sends it. Returns the ids. */
  send(outbox: Outbox, portal: Connected, attempts: readonly string[]): Promise<string[]>
  rows<Row = Record<string, unknown>>(sql: string, parameters?: unknown[]): Promise<Row[]>
  /** Rows of the warehouse, as its owner sees them. */
  warehouseRows<Row = Record<string, unknown>>(sql: string, parameters?: unknown[]): Promise<Row[]>
  end(): Promise<void>
}

export interface WarehousePortal extends Connected {
  readonly schema: string
}

export async function createWarehouseScene(options: LocalSegmentOptions = {}): Promise<WarehouseScene> {
  const [scene, warehouse] = await Promise.all([createScene(), createTestDatabase()])
  const segment = await startLocalSegment({ ...options, warehouse: { url: warehouse.url } })
  const readerPassword = `secret ${random()}/@:`
  const reader = `reader_${random()}`
  const quotedPassword = readerPassword.replaceAll("'", "''")
  await warehouse.dataSource.query(`CREATE ROLE ${reader} LOGIN PASSWORD '${quotedPassword}'`)
  await warehouse.dataSource.query(`ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO ${reader}`)
  await warehouse.dataSource.query(`ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO ${reader}`)
  const url = new URL(warehouse.url)
  url.username = reader
  url.password = encodeURIComponent(readerPassword)
  const { href: readerUrl } = url
  return {
    scene,
    segment,
    warehouse,
    readerUrl,
    readerPassword,
    outbox: (given = {}) =>
      scene.outbox({
        segment: { host: { us: segment.url, eu: segment.euUrl }, timeoutMs: 10_000 },
        ...given,
      }),
    async connect(outbox, { canaryMinutes, warehouse: known = true } = {}) {
      const portalId = `portal-${random()}`
      const writeKey = random(16)
      segment.addWriteKey(writeKey, { source: portalId })
      const source = await outbox.sources.connect({ portalId, writeKey })
      const schema = segment.schemaOf(writeKey)
      if (known) {
        await outbox.warehouses.connect({
          sourceId: source.sourceId,
          url: readerUrl,
          schema,
          lagHours: 2,
          canaryMinutes,
        })
      }
      return { portalId, writeKey, source, schema }
    },
    async send(outbox, { portalId }, attempts) {
      const recorded = await scene.dataSource.transaction((tx) =>
        outbox.record(
          tx,
          attempts.map((attemptId) => ({
            type: 'track' as const,
            event: 'Began Test' as const,
            portalId,
            userId: 'u',
            properties: beganTest(attemptId),
          })),
        ),
      )
      await outbox.drain()
      return recorded.map(({ messageId }) => messageId as string)
    },
    rows: scene.rows,
    warehouseRows: (sql, parameters) => warehouse.dataSource.query(sql, parameters),
    async end() {
      await scene.end()
      await segment.close()
      await warehouse.dataSource.query(`DROP OWNED BY ${reader}`)
      await warehouse.dataSource.query(`DROP ROLE ${reader}`)
      await warehouse.drop()
    },
  }
}

/** The comparison of one portal, with nothing allowed for lag unless told so. Throws what ended it early. */
export async function compare(
  outbox: Outbox,
  portal: Connected,
  options: ReconcileOptions = {},
): Promise<SourceComparison> {
  const { sources } = await outbox.reconcile({ portalId: portal.portalId, lagHours: 0, ...options })
  const [compared] = sources
  if (compared?.error) throw compared.error
  return compared as SourceComparison
}
