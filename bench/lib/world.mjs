import { randomBytes } from 'node:crypto'
import { storedBody } from './events.mjs'
import { fillDelivered, fillPending } from './fill.mjs'
import { timed } from './measure.mjs'

export const SECRET_KEYS = `k1:${Buffer.alloc(32, 7).toString('base64')}`

/**
 * A database with the outbox in it, and portals connected.
 *
 * @param options `portals`: how many (default 1). `poolSize`: connections (default 10). `like`: another world whose
 *   database is copied, portals included; it must have no connections then, see `close`.
 */
export async function createWorld({ module, folder, sink, database }, options = {}) {
  const { portals: portalCount = 1, poolSize = 10, like } = options
  const { createDataSource, createOutbox } = module
  const dataSource = await createDataSource({ url: database.url, poolSize, logging: false }).initialize()
  const outboxes = []
  const world = {
    ...database,
    folder,
    sinkUrl: sink.url,
    dataSource,
    portals: like?.portals ?? [],
    /** An outbox with the module's defaults, but for the given options. */
    outbox(given = {}) {
      const outbox = createOutbox({
        dataSource,
        secretKeys: SECRET_KEYS,
        segment: { host: sink.url },
        ...given,
      })
      outboxes.push(outbox)
      return outbox
    },
    query: (sql, parameters) => dataSource.query(sql, parameters),
    /** Messages that wait, spread over the portals in turns, and written by SQL as recording lays them out. */
    pending: (count, { size = 'small', portals = world.portals } = {}) =>
      fillPending(dataSource, portals, count, storedBody(size)),
    /** Messages that were delivered long ago or just now, with the batches they were sent in. */
    delivered: (count, { size = 'small', age = '1 hour' } = {}) =>
      fillDelivered(dataSource, world.portals, count, storedBody(size), age),
    /** What autovacuum and the checkpointer would do in the middle of the measurement otherwise. */
    async settle() {
      await dataSource.query('VACUUM (ANALYZE)')
      await dataSource.query('CHECKPOINT')
    },
    /** Drains what waits. Throws unless exactly `count` events arrived, each once. Returns events per second. */
    async drain(outbox, count, who = 'the outbox') {
      await sink.reset()
      const ms = await timed(() => outbox.drain())
      await sink.expect(count, who)
      return (count / ms) * 1000
    },
    /** Ends the connections; the database stays. */
    async close() {
      await Promise.all(outboxes.map((outbox) => outbox.stop()))
      await dataSource.destroy()
    },
    async end() {
      await world.close()
      await database.drop()
    },
  }
  if (like === undefined) {
    await dataSource.runMigrations()
    await world.query(
      'CREATE TABLE bench_business (id uuid PRIMARY KEY, portal_id text, at timestamptz, score int)',
    )
    world.portals = await connectPortals(world, portalCount)
  }
  return world
}

/** By an outbox that hears of nothing after: an application has one, and each that is there listens to its commits. */
async function connectPortals({ outbox: open, dataSource }, count) {
  const outbox = open()
  const portals = Array.from({ length: count }, (_, i) => ({
    portalId: `portal-${i}`,
    writeKey: randomBytes(16).toString('hex'),
  }))
  for (let at = 0; at < count; at += 10) {
    await Promise.all(
      portals.slice(at, at + 10).map(async (portal) => {
        const { portalId, writeKey } = portal
        portal.sourceId = (await outbox.sources.connect({ portalId, writeKey, insist: true })).sourceId
      }),
    )
  }
  dataSource.subscribers.length = 0
  return portals
}
