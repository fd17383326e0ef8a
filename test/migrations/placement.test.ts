import { OutboxMessage } from 'synap-outbox'
import type { DataSource } from 'typeorm'
import { beganTest, createScene, type Scene } from '../support/scene'
import { dumpSchema, listObjects } from './catalog'
import { createEmptyDatabase, type EmptyDatabase } from './migrated-database'

let database: EmptyDatabase
let scene: Scene

beforeEach(async () => {
  database = await createEmptyDatabase()
  scene = await createScene()
})
afterEach(async () => {
  await scene.end()
  await database.drop()
})

/** The whole way of a message on `dataSource`, and the maintenance after it. */
async function deliverOne(dataSource: DataSource) {
  const outbox = scene.outbox({ dataSource })
  await outbox.start()
  const { portalId, writeKey, source } = await scene.connect(outbox)
  const properties = beganTest()
  const call = { portalId, userId: 'user', properties }
  const results = await dataSource.transaction(async (tx) => [
    await outbox.track(tx, 'Began Test', call),
    await outbox.track(tx, 'Began Test', call),
  ])
  const rolledBack = dataSource.transaction(async (tx) => {
    await outbox.track(tx, 'Began Test', { ...call, properties: beganTest() })
    throw new Error('rolled back')
  })
  await expect(rolledBack).rejects.toThrow('rolled back')
  await outbox.drain()
  await outbox.sources.pause(source.sourceId)
  await outbox.sources.resume(source.sourceId)
  expect(await outbox.prune()).toEqual({ messages: 0, batches: 0 })
  await outbox.stop()
  expect(results.map(({ outcome }) => outcome)).toEqual(['recorded', 'duplicate'])
  const arrived = scene.segment.accepted({ writeKey }).map(({ message }) => message.properties)
  expect(arrived).toEqual([properties])
}

describe('a DataSource with a schema of its own', () => {
  it('has the outbox there, the same as anywhere, and records and sends there', async () => {
    const dataSource = await database.connect({ schema: 'analytics' })
    await dataSource.query('CREATE SCHEMA analytics')
    await dataSource.runMigrations()
    expect(await database.client(listObjects, 'public')).toEqual([])
    const dump = await database.client(dumpSchema, 'analytics')

    await deliverOne(dataSource)

    const statuses = await dataSource.getRepository(OutboxMessage).find({ select: { status: true } })
    expect(statuses).toEqual([expect.objectContaining({ status: 'delivered' })])
    const rows = await dataSource.query('SELECT status FROM analytics.outbox_inspection')
    expect(rows).toEqual([{ status: 'delivered' }])
    await dataSource.undoLastMigration()
    expect(await database.client(listObjects, 'analytics')).toEqual([])

    const ordinary = await database.connect()
    await ordinary.runMigrations()
    expect(await database.client(dumpSchema)).toBe(dump)
  })

  it('shares its database with an outbox in another schema', async () => {
    const one = await database.connect()
    await one.query('CREATE SCHEMA analytics')
    const other = await database.connect({ schema: 'analytics' })
    for (const dataSource of [one, other]) await dataSource.runMigrations()
    for (const dataSource of [one, other]) await deliverOne(dataSource)
    for (const dataSource of [one, other]) {
      expect(await dataSource.getRepository(OutboxMessage).count()).toBe(1)
    }
  })
})

describe('a DataSource with read replicas', () => {
  it('records, drains and prunes on the primary alone', async () => {
    await (await database.connect()).runMigrations()
    // No replica lags more than one that has nothing at all; and this one refuses whatever would write.
    const lagging = await createEmptyDatabase()
    const readOnly = new URL(lagging.url)
    readOnly.searchParams.set('options', '-c default_transaction_read_only=on')
    const dataSource = await database.connect({
      url: undefined,
      replication: { master: { url: database.url }, slaves: [{ url: readOnly.href }] },
    })
    try {
      await expect(dataSource.getRepository(OutboxMessage).count()).rejects.toThrow('does not exist')
      const replica = dataSource.createQueryRunner('slave')
      await expect(replica.query('CREATE TABLE written (id int)')).rejects.toThrow('read-only transaction')
      await replica.release()

      await deliverOne(dataSource)

      expect(await dataSource.query('SELECT status FROM outbox_message')).toEqual([{ status: 'delivered' }])
    } finally {
      await dataSource.destroy()
      await lagging.drop()
    }
  })
})
