import { createOutbox, type OutboxMessage, outboxIn } from 'synap-outbox'
import { type LocalSegment, startLocalSegment } from 'synap-outbox/testing'
import { DataSource } from 'typeorm'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { beganTest } from '../support/scene'

const SCHEMA = `Analytics "quoted"`

let database: TestDatabase
let segment: LocalSegment
let dataSource: DataSource

beforeAll(async () => {
  ;[database, segment] = await Promise.all([createTestDatabase(), startLocalSegment()])
  // The other tables of the application stay where they are; the outbox's in `public` must not be touched.
  const placed = { ...outboxIn(SCHEMA), migrationsTableName: 'placed_migrations' }
  dataSource = await new DataSource({ type: 'postgres', url: database.url, ...placed }).initialize()
  await dataSource.runMigrations()
})
afterAll(async () => {
  await dataSource.destroy()
  await Promise.all([database.drop(), segment.close()])
})

const tables = (schema: string) =>
  dataSource.query('SELECT FROM information_schema.tables WHERE table_schema = $1', [schema])

describe('an outbox in a schema of its own', () => {
  it('records, delivers and is read there', async () => {
    const outbox = createOutbox({
      dataSource,
      schema: SCHEMA,
      secretKeys: `k1:${Buffer.alloc(32, 5).toString('base64')}`,
      segment: { host: segment.url },
    })
    await outbox.start()
    segment.addWriteKey('a-write-key')
    await outbox.sources.connect({ portalId: 'p', writeKey: 'a-write-key' })
    const { messageId } = await dataSource.transaction((tx) =>
      outbox.track(tx, 'Began Test', { portalId: 'p', userId: 'u', properties: beganTest() }),
    )
    await outbox.drain()
    await outbox.stop()
    expect(await dataSource.getRepository('OutboxSample').count()).toBeGreaterThan(0)
    expect(segment.accepted().map((message) => message.messageId)).toEqual([messageId])
    const row = await dataSource.getRepository<OutboxMessage>('OutboxMessage').findOneByOrFail({ messageId })
    expect(row.status).toBe('delivered')
    expect(await dataSource.query('SELECT FROM public.outbox_message')).toEqual([])
    const by = { actor: 'a', reason: 'r' }
    expect(await outbox.redrive({ portalId: 'p' }, by)).toEqual({ redriven: 0, marked: 0 })
    expect(await outbox.prune()).toEqual({ messages: 0, batches: 0 })
    const { inspect } = outbox
    expect(await inspect.overview()).toMatchObject({ deliveredEstimate: 1 })
    expect(await inspect.sources()).toMatchObject([{ portalId: 'p', health: 'healthy' }])
    expect((await inspect.messages({ portalId: 'p' })).messages).toMatchObject([{ messageId }])
    expect(await inspect.message(messageId as string)).toMatchObject({ status: 'delivered', seq: '1' })
    expect(await inspect.preview({ portalId: 'p' })).toMatchObject({ delivered: 1 })
    expect(await inspect.failures()).toEqual([])
    expect(await inspect.health()).toMatchObject({ status: 'ok', pending: 0 })
    const doctor = await inspect.doctor()
    expect(doctor.filter(({ severity }) => severity !== 'ok').map(({ check }) => check)).toEqual([
      'no-dispatcher',
    ])
    expect(await outbox.erase({ userId: 'u' }, by)).toMatchObject({ erased: { delivered: 1 }, left: 0 })
    expect(await inspect.audit()).toMatchObject([{ action: 'erase', messages: 1 }])
  })

  it('leaves nothing there when it is taken down', async () => {
    expect(await tables(SCHEMA)).toHaveLength(10)
    await dataSource.undoLastMigration()
    expect(await tables(SCHEMA)).toHaveLength(0)
    expect((await tables('public')).length).toBeGreaterThan(7)
  })
})
