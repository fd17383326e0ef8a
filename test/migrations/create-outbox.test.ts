import fs from 'node:fs'
import path from 'node:path'
import { outboxMigrations } from 'synap-outbox'
import type { DataSource } from 'typeorm'
import { dumpSchema, listObjects } from './catalog'
import { createEmptyDatabase, type EmptyDatabase } from './migrated-database'

const SCHEMA_FILE = path.join(__dirname, 'schema.sql')

let database: EmptyDatabase
let dataSource: DataSource

beforeAll(async () => {
  database = await createEmptyDatabase()
  dataSource = await database.connect()
})
afterAll(() => database.drop())

async function revertAll(): Promise<void> {
  for (const _ of outboxMigrations) await dataSource.undoLastMigration()
}

describe('the outbox’s migrations', () => {
  it('create the schema that is committed', async () => {
    await dataSource.runMigrations()
    const dump = `-- The outbox's schema, from its migrations. Rewritten by: npm run schema\n\n${await database.client(dumpSchema)}`
    if (process.env.WRITE_SCHEMA) fs.writeFileSync(SCHEMA_FILE, dump)
    expect(dump).toBe(fs.readFileSync(SCHEMA_FILE, 'utf8')) // after a wanted change: npm run schema
  })

  it('leave nothing of ours when they are reverted, and create the same again', async () => {
    const before = await database.client(dumpSchema)
    expect((await database.client(listObjects)).length).toBeGreaterThan(10)
    await revertAll()
    expect(await database.client(listObjects)).toEqual([])
    await dataSource.runMigrations()
    expect(await database.client(dumpSchema)).toBe(before)
  })

  it('are reverted with rows in the tables, too', async () => {
    await dataSource.query(`
      INSERT INTO segment_source (source_id, portal_id, region, write_key_ciphertext, write_key_secret_id, write_key_last_four)
      VALUES ('00000000-0000-0000-0000-000000000001', 'p', 'us', '\\x00', 'k1', 'abcd')`)
    await dataSource.query(
      `INSERT INTO source_delivery (source_id) VALUES ('00000000-0000-0000-0000-000000000001')`,
    )
    await revertAll()
    expect(await database.client(listObjects)).toEqual([])
    await dataSource.runMigrations()
  })

  it('comment every table, view and column of a table', async () => {
    const bare = await dataSource.query(`
      SELECT c.relname, a.attname FROM pg_class c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum >= 0 AND NOT a.attisdropped
      WHERE c.relnamespace = 'public'::regnamespace AND c.relname <> 'migrations' AND c.relkind = 'r'
        AND col_description(c.oid, a.attnum) IS NULL
      UNION ALL
      SELECT c.relname, NULL FROM pg_class c
      WHERE c.relnamespace = 'public'::regnamespace AND c.relname <> 'migrations' AND c.relkind IN ('r', 'v')
        AND obj_description(c.oid, 'pg_class') IS NULL`)
    expect(bare).toEqual([])
  })

  it('have names of their own, in the order of their timestamps', () => {
    const names = outboxMigrations.map((Migration) => new Migration().name)
    expect(new Set(names).size).toBe(names.length)
    const stamps = names.map((name) => Number(/\d{13}$/.exec(name)?.[0]))
    expect(stamps).toEqual([...stamps].sort((a, b) => a - b))
    expect(stamps).not.toContain(Number.NaN)
  })
})
