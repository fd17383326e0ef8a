import { portalEntities } from '../../entities/portal'
import { CreatePortal1795420800001 } from '../../migrations/1795420800001-create-portal'
import { createTestDatabase, type TestDatabase } from '../support/database'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

const tables = async (): Promise<string[]> => {
  const rows = await database.dataSource.query<{ tablename: string }[]>(
    `SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'portal%' ORDER BY 1`,
  )
  return rows.map((row) => row.tablename)
}

it('creates a table for each entity, with exactly its columns', async () => {
  expect(await tables()).toEqual(
    portalEntities.map((entity) => database.dataSource.getMetadata(entity).tableName).sort(),
  )
  for (const entity of portalEntities) {
    const { tableName, columns } = database.dataSource.getMetadata(entity)
    const rows = await database.dataSource.query<{ column: string; type: string; nullable: boolean }[]>(
      `SELECT column_name AS column, data_type AS type, is_nullable = 'YES' AS nullable
       FROM information_schema.columns WHERE table_name = $1`,
      [tableName],
    )
    const byName = (a: { column: string }, b: { column: string }) => (a.column < b.column ? -1 : 1)
    const longName = (type: string) => (type === 'timestamptz' ? 'timestamp with time zone' : type)
    expect([tableName, rows.sort(byName)]).toEqual([
      tableName,
      columns
        .map(({ databaseName, type, isNullable }) => {
          return { column: databaseName, type: longName(String(type)), nullable: isNullable }
        })
        .sort(byName),
    ])
  }
})

it('goes down to nothing, and up again', async () => {
  const before = await tables()
  const runner = database.dataSource.createQueryRunner()
  try {
    await new CreatePortal1795420800001().down(runner)
    expect(await tables()).toEqual([])
    await new CreatePortal1795420800001().up(runner)
    expect(await tables()).toEqual(before)
  } finally {
    await runner.release()
  }
})
