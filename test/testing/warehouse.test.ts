import { type LocalSegment, startLocalSegment } from 'synap-outbox/testing'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { postBatch, track } from './http'

const KEY = 'a-write-key'
let database: TestDatabase
let segment: LocalSegment

beforeAll(async () => {
  database = await createTestDatabase()
})
beforeEach(async () => {
  segment = await startLocalSegment({ warehouse: { url: database.url } })
  segment.addWriteKey(KEY, { source: `Meridian ${schemas++}` })
})
afterEach(() => segment.close())
afterAll(() => database.drop())

let schemas = 0
const rows = (table: string, order = 'id') =>
  database.dataSource.query(`SELECT * FROM ${segment.schemaOf(KEY)}."${table}" ORDER BY ${order}`)
const tables = async () =>
  (
    await database.dataSource.query(
      'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = $1 ORDER BY 1',
      [segment.schemaOf(KEY)],
    )
  ).map(({ name }: { name: string }) => name)
const typesOf = async (table: string) =>
  Object.fromEntries(
    (
      await database.dataSource.query(
        `SELECT column_name AS name, data_type AS type FROM information_schema.columns
         WHERE table_schema = $1 AND table_name = $2`,
        [segment.schemaOf(KEY), table],
      )
    ).map(({ name, type }: { name: string; type: string }) => [name, type]),
  )
async function load(...messages: object[]): Promise<void> {
  await postBatch(segment.url, KEY, messages)
  await segment.loadWarehouse()
}

describe('the warehouse of the local Segment', () => {
  it('has each event in tracks and in a table of its own, with its properties as columns', async () => {
    const sentAt = new Date(Date.now() - 3_600_000) // a clock that is an hour slow
    const happened = new Date(sentAt.getTime() - 60_000)
    const before = Date.now()
    await postBatch(segment.url, KEY, [])
    const body = {
      batch: [
        track('m-1', {
          timestamp: happened.toISOString(),
          context: { library: { name: 'lib', version: '1.0' } },
          properties: {
            testId: 't',
            attemptNumber: 2,
            score: 0.5,
            passed: true,
            begunAt: '2026-01-02T03:04:05.000Z',
            tags: ['a', { b: 1 }],
            place: { roomNumber: 7 },
            nothing: null,
            userId: 'reserved',
            'received at': 'reserved too',
          },
        }),
      ],
      sentAt: sentAt.toISOString(),
    }
    await fetch(`${segment.url}/v1/batch`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${KEY}:`)}` },
      body: JSON.stringify(body),
    }).then((response) => response.text())
    await segment.loadWarehouse()

    const [row] = await rows('began_test')
    expect(row).toMatchObject({
      id: 'm-1',
      user_id: 'user-1',
      event: 'began_test',
      event_text: 'Began Test',
      context_library_name: 'lib',
      context_library_version: '1.0',
      test_id: 't',
      attempt_number: '2',
      score: 0.5,
      passed: true,
      begun_at: new Date('2026-01-02T03:04:05.000Z'),
      tags: '["a",{"b":1}]',
      place_room_number: '7',
      sent_at: sentAt,
      original_timestamp: happened,
    })
    expect(row).not.toHaveProperty('nothing')
    // timestamp = received_at − (sent_at − original_timestamp)
    expect(row.timestamp.getTime()).toBe(row.received_at.getTime() - 60_000)
    expect(row.received_at.getTime()).toBeGreaterThanOrEqual(before)
    expect(row.uuid_ts).toBeInstanceOf(Date)
    expect(await typesOf('began_test')).toMatchObject({
      test_id: 'character varying',
      attempt_number: 'bigint',
      score: 'double precision',
      passed: 'boolean',
      begun_at: 'timestamp with time zone',
    })
    const [rollup] = await rows('tracks')
    expect(rollup).toMatchObject({ id: 'm-1', event: 'began_test', context_library_name: 'lib' })
    expect(rollup).not.toHaveProperty('test_id')
  })

  it('has the latest state of users and accounts beside every identify, page and group call', async () => {
    await load(
      { type: 'identify', messageId: 'i-1', userId: 'u', traits: { email: 'old@x', plan: 'free' } },
      { type: 'identify', messageId: 'i-2', userId: 'u', traits: { email: 'new@x' } },
      { type: 'identify', messageId: 'i-3', anonymousId: 'nobody', traits: { email: 'a@x' } },
      { type: 'page', messageId: 'p-1', userId: 'u', name: 'Home', properties: { title: 'T' } },
      { type: 'group', messageId: 'g-1', userId: 'u', groupId: 'g', traits: { name: 'Class 1' } },
    )
    await load({ type: 'group', messageId: 'g-2', userId: 'v', groupId: 'g', traits: { name: 'Class 2' } })
    expect(await tables()).toEqual(['accounts', 'groups', 'identifies', 'pages', 'users'])
    expect(await rows('identifies')).toHaveLength(3)
    const users = await rows('users')
    expect(users).toEqual([expect.objectContaining({ id: 'u', email: 'new@x', plan: 'free' })])
    expect(users[0]).not.toHaveProperty('anonymous_id')
    expect(await rows('pages')).toEqual([expect.objectContaining({ id: 'p-1', name: 'Home', title: 'T' })])
    expect((await rows('groups')).map(({ group_id }: { group_id: string }) => group_id)).toEqual(['g', 'g'])
    expect(await rows('accounts')).toEqual([expect.objectContaining({ id: 'g', name: 'Class 2' })])
  })

  it('fixes a column’s type with its first value, and drops what does not fit', async () => {
    await load(track('a', { properties: { n: 1, text: 'x', flag: true } }))
    await load(
      track('b', { properties: { n: 2.9, text: 42, flag: 'yes' } }),
      track('c', { properties: { n: 'three', text: true, flag: false } }),
    )
    const stored = (await rows('began_test')).map(
      ({ n, text, flag }: { n: string; text: string; flag: boolean }) => [n, text, flag],
    )
    expect(stored).toEqual([
      ['1', 'x', true],
      ['2', '42', null],
      [null, 'true', false],
    ])
  })

  it('cuts text at 512 characters, never through one', async () => {
    await load(
      track('a', {
        properties: { long: 'x'.repeat(600), faces: '😀'.repeat(600), ends: `${'x'.repeat(511)}😀y` },
      }),
    )
    const [row] = await rows('began_test')
    expect(row.long).toBe('x'.repeat(512))
    expect(row.faces).toBe('😀'.repeat(512))
    expect(row.ends).toBe(`${'x'.repeat(511)}😀`)
  })

  it('loads what was accepted, when it is told to, and each id once', async () => {
    segment.removeWriteKey('gone')
    await postBatch(segment.url, 'gone', [track('lost')])
    await postBatch(segment.url, KEY, [track('a')])
    expect(await tables()).toEqual([])
    await segment.loadWarehouse()
    expect(await rows('tracks')).toHaveLength(1)

    const again = await startLocalSegment({ dedup: false, warehouse: { client: pool() } })
    again.addWriteKey(KEY, { source: segment.schemaOf(KEY) })
    await postBatch(again.url, KEY, [track('a', { properties: { later: 1 } }), track('b')])
    await again.loadWarehouse()
    await again.close()
    expect((await rows('tracks')).map(({ id }: { id: string }) => id)).toEqual(['a', 'b'])
  })

  it('keeps what a failed load has not written for the next one', async () => {
    let down = true
    const own = pool()
    const flaky = {
      query: (sql: string, parameters?: unknown[]) =>
        down ? Promise.reject(new Error('the warehouse is down')) : own.query(sql, parameters),
    }
    const other = await startLocalSegment({ warehouse: { client: flaky } })
    other.addWriteKey(KEY, { source: segment.schemaOf(KEY) })
    await postBatch(other.url, KEY, [track('a')])
    await expect(other.loadWarehouse()).rejects.toThrow('the warehouse is down')
    down = false
    await other.loadWarehouse()
    await other.close()
    expect(await rows('tracks')).toHaveLength(1)
  })

  it('survives hostile names and values', async () => {
    const hostile = {
      'a"; DROP TABLE tracks; --': 'x',
      "it's": 'nul \0 here',
      ['very long '.repeat(20)]: 1,
      ['very long '.repeat(20).concat('too')]: 2,
      '***': 'no name at all',
      __proto__: 'p',
      constructor: 'c',
      half: '\ud800',
      'ſpecial ÄÖ 名前': 'ok',
      'same name': 1,
      sameName: 2,
      huge: 1e300,
      bad: '2026-99-99T99:99:99Z',
    }
    await load(
      track('a', { event: 'x"; DROP SCHEMA public CASCADE; --', properties: hostile }),
      track('b', { event: '!!!' }),
      track('c', { event: 'Users', properties: { email: 'not a user' } }),
      track('d', { event: 'e'.repeat(300) }),
    )
    expect((await rows('tracks')).map(({ id }: { id: string }) => id)).toEqual(['a', 'b', 'c', 'd'])
    expect(await tables()).toEqual(['e'.repeat(63), 'tracks', 'x_drop_schema_public_cascade'])
    expect(await rows('x_drop_schema_public_cascade')).toEqual([
      expect.objectContaining({
        a_drop_table_tracks: 'x',
        it_s: 'nul  here',
        same_name: '1',
        constructor: 'c',
        huge: 1e300,
      }),
    ])
  })

  it('refuses to be both a url and a client, and says when there is none', async () => {
    await expect(startLocalSegment({ warehouse: {} })).rejects.toThrow(/either a url or a client/)
    const without = await startLocalSegment()
    await expect(without.loadWarehouse()).rejects.toThrow(/started without `warehouse`/)
    expect(() => without.schemaOf('unknown')).toThrow(/does not know/)
    await without.close()
  })
})

/** A client that the caller owns: TypeORM's own pool. */
function pool() {
  return (database.dataSource.driver as unknown as { master: import('pg').Pool }).master
}
