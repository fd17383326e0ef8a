import fc from 'fast-check'
import { messageId } from 'synap-outbox'
import { factText, messageIdSql } from '../../src/plan/message-id'
import { createTestDatabase, type TestDatabase } from '../support/database'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

const part = fc.oneof(fc.string({ unit: 'binary', minLength: 1 }), fc.integer())
const key = fc.oneof(part, fc.array(part, { minLength: 1, maxLength: 3 }))

describe('the messageId of a fact', () => {
  it('is the same in the recording statement as in TypeScript: a UUIDv8', async () => {
    const facts = fc.sample(fc.record({ source: fc.uuid(), event: fc.string(), key }), 500)
    const rows: { id: string }[] = await database.dataSource.query(
      `SELECT ${messageIdSql('f.source', 'f.fact')} AS id
       FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS f(source, fact, i) ORDER BY i`,
      [facts.map((fact) => fact.source), facts.map((fact) => factText(fact.event, fact.key))],
    )
    expect(rows.map((row) => row.id)).toEqual(
      facts.map((fact) => messageId(fact.source, fact.event, fact.key)),
    )
    for (const { id } of rows)
      expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
  })

  it('depends on the source, the event and each part of the key, and on where a part ends', () => {
    const [a, b] = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002']
    const ids = [
      messageId(a, 'Began Test', 'x'),
      messageId(b, 'Began Test', 'x'),
      messageId(a, 'Submitted Test', 'x'),
      messageId(a, 'Began Test', 'y'),
      messageId(a, 'Began Test', ['x', 'y']),
      messageId(a, 'Began Test', ['xy']),
      messageId(a, 'Began Test', ['y', 'x']),
    ]
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('never changes: ids that were sent must stay what they are', () => {
    expect(messageId('00000000-0000-4000-8000-000000000001', 'Began Test', 'attempt-1')).toBe(
      '3ca3ade5-a5e9-8cac-a291-df7f7257806c',
    )
  })
})
