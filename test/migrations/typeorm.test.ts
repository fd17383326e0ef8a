import { createOutbox, OptionsError, SchemaError } from 'synap-outbox'
import { DataSource, EntitySchema } from 'typeorm'
import { outboxEntities } from '../../entities'
import { dumpSchema } from './catalog'
import { createEmptyDatabase, type EmptyDatabase } from './migrated-database'

let database: EmptyDatabase

beforeEach(async () => {
  database = await createEmptyDatabase()
})
afterEach(() => database.drop())

const secretKeys = `k1:${Buffer.alloc(32, 7).toString('base64')}`

describe('TypeORM’s own schema builder', () => {
  it('leaves the outbox’s tables as the migrations made them, also when an application synchronises', async () => {
    const Note = new EntitySchema({ name: 'note', columns: { id: { type: Number, primary: true } } })
    const dataSource = await database.connect({ entities: [...outboxEntities, Note] })
    await dataSource.runMigrations()
    const before = await database.client(dumpSchema)

    await dataSource.synchronize()

    await dataSource.query('DROP TABLE note') // throws unless it had done something
    expect(await database.client(dumpSchema)).toBe(before)
  })

  it('finds nothing to do: migration:generate stays empty', async () => {
    const dataSource = await database.connect()
    await dataSource.runMigrations()
    const { upQueries, downQueries } = await dataSource.driver.createSchemaBuilder().log()
    expect([...upQueries, ...downQueries].map(({ query }) => query)).toEqual([])
  })

  it('is refused as a way to make them', () => {
    const dataSource = new DataSource({ type: 'postgres', entities: outboxEntities, synchronize: true })
    expect(() => createOutbox({ dataSource, secretKeys })).toThrow(OptionsError)
    expect(() => createOutbox({ dataSource, secretKeys })).toThrow('Set `synchronize: false`')
  })
})

describe('an outbox does not start', () => {
  const start = async (...statements: string[]) => {
    const dataSource = await database.connect()
    await dataSource.runMigrations()
    for (const statement of statements) await dataSource.query(statement)
    const outbox = createOutbox({ dataSource, secretKeys })
    await outbox.start().finally(() => outbox.stop())
  }

  it('on a database that was not migrated, and says what to run', async () => {
    const outbox = createOutbox({ dataSource: await database.connect(), secretKeys })
    const failure = outbox.start().finally(() => outbox.stop())
    await expect(failure).rejects.toThrow(SchemaError)
    await expect(failure).rejects.toThrow('migration:run')
  })

  it.each([
    'outbox_message_pending_by_source',
    'outbox_message_settled_for_prune',
    'outbox_batch_open_by_source',
    'outbox_batch_settled_for_prune',
    'segment_source_one_active_per_portal',
  ])('without its index %s, and names it', async (index) => {
    const failure = start(`DROP INDEX ${index}`)
    await expect(failure).rejects.toThrow(SchemaError)
    await expect(failure).rejects.toThrow(index)
  })

  it.each([
    ['is missing', 'DROP FUNCTION outbox_record', 'Create it again'],
    [
      'is not this version’s',
      `DO $$ BEGIN EXECUTE replace(pg_get_functiondef('outbox_record(text[], boolean[], jsonb)'::regprocedure), 'ORDER BY c.i', ''); END $$`,
      'migration:run',
    ],
  ])('where the function that records %s, and says what to do', async (found, statement, remedy) => {
    const failure = start(statement)
    await expect(failure).rejects.toThrow(SchemaError)
    await expect(failure).rejects.toThrow(`outbox_record"(text[], boolean[], jsonb) ${found}`)
    await expect(failure).rejects.toThrow(remedy)
  })

  it('as a role that may not call the function that records', async () => {
    await (await database.connect()).runMigrations()
    const role = `reader_${process.pid}`
    const owner = await database.connect()
    await owner.query('REVOKE EXECUTE ON FUNCTION outbox_record FROM PUBLIC')
    await owner.query(`CREATE ROLE ${role}`)
    await owner.query(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`)
    const url = new URL(database.url)
    url.searchParams.set('options', `-c role=${role}`)
    const dataSource = await database.connect({ url: url.href })
    try {
      const outbox = createOutbox({ dataSource, secretKeys })
      const failure = outbox.start().finally(() => outbox.stop())
      await expect(failure).rejects.toThrow(
        'GRANT EXECUTE ON FUNCTION "outbox_record"(text[], boolean[], jsonb)',
      )
    } finally {
      await owner.query(`DROP OWNED BY ${role}`)
      await owner.query(`DROP ROLE ${role}`)
    }
  })

  it('without the primary key that makes a fact one message', async () => {
    const drop = 'ALTER TABLE outbox_message DROP CONSTRAINT outbox_message_pkey'
    await expect(start(drop)).rejects.toThrow('outbox_message_pkey')
  })

  it('and starts where all of them are there', async () => {
    await expect(start()).resolves.toBeUndefined()
  })
})
