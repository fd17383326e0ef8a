import type { Outbox } from 'synap-outbox'
import { compare, createWarehouseScene, type WarehousePortal, type WarehouseScene } from './warehouse-scene'

const BATCH = 250
let world: WarehouseScene
let outbox: Outbox

beforeAll(async () => {
  world = await createWarehouseScene()
  outbox = world.outbox()
})
afterAll(() => world.end())

/** Delivered messages of a portal, as the dispatcher leaves them, and their rows in its warehouse among older ones. */
async function deliver(portal: WarehousePortal, messages: number): Promise<void> {
  const { sourceId } = portal.source
  await world.rows(
    `WITH made AS (
       SELECT gen_random_uuid() AS id, (n - 1) / ${BATCH} AS batch, n FROM generate_series(1, $2::int) n
     ), batches AS (
       INSERT INTO outbox_batch (source_id, lease_token, message_ids, first_seq, last_seq, wire_bytes, outcome, settled_at,
                                 first_ambiguous_at, attempt_count)
       SELECT $1, batch, array_agg(id ORDER BY n), 1, 1, 1, 'delivered', now() - interval '1 day' + batch * interval '1 second',
              now() - interval '1 day', 1
       FROM made GROUP BY batch
       RETURNING batch_id, message_ids, settled_at
     )
     INSERT INTO outbox_message (message_id, source_id, batch_id, occurred_at, settled_at, wire_bytes, status, type, event,
                                 portal_id, user_id, body)
     SELECT id, $1, batch_id, settled_at, settled_at, 300, 'delivered', 'track', 'Began Test', $3, 'u', '{}'
     FROM batches, unnest(message_ids) AS id`,
    [sourceId, messages, portal.portalId],
  )
  await world.warehouseRows(`CREATE SCHEMA IF NOT EXISTS "${portal.schema}"`)
  await world.warehouseRows(
    `CREATE TABLE "${portal.schema}".tracks (id varchar PRIMARY KEY, event_text varchar, received_at timestamptz)`,
  )
  await world.warehouseRows(`CREATE INDEX ON "${portal.schema}".tracks (received_at)`)
  const ids = await world.rows<{ id: string }>(
    'SELECT message_id AS id FROM outbox_message WHERE source_id = $1',
    [sourceId],
  )
  await world.warehouseRows(
    `INSERT INTO "${portal.schema}".tracks SELECT id, 'Began Test', now() FROM unnest($1::text[]) AS id`,
    [ids.map(({ id }) => id)],
  )
  await world.warehouseRows(
    `INSERT INTO "${portal.schema}".tracks
     SELECT gen_random_uuid(), 'Began Test', now() - interval '1 year' FROM generate_series(1, 150000)`,
  )
  for (const rows of [world.rows, world.warehouseRows]) await rows('ANALYZE')
}

/** What PostgreSQL has counted for a table. Sessions report when they end. */
async function reads(rows: WarehouseScene['rows'], table: string) {
  await rows('SELECT pg_stat_force_next_flush()') // what this session has read itself
  const [row] = await rows<{ seq: string; fetched: string }>(
    `SELECT seq_scan AS seq, coalesce(idx_tup_fetch, 0) AS fetched FROM pg_stat_user_tables
     WHERE relid = to_regclass($1)`,
    [table],
  )
  return { seq: Number(row?.seq), fetched: Number(row?.fetched) }
}

/** Runs a comparison in connections of its own and tells what it has read. */
async function costOf(portal: WarehousePortal) {
  const message = await reads(world.rows, 'outbox_message')
  const tracks = await reads(world.warehouseRows, `"${portal.schema}".tracks`)
  const dataSource = await world.scene.database.connect()
  const own = world.outbox({ dataSource })
  const compared = await compare(own, portal, { unexpected: false })
  await dataSource.destroy()
  const after = {
    message: await reads(world.rows, 'outbox_message'),
    tracks: await reads(world.warehouseRows, `"${portal.schema}".tracks`),
  }
  return {
    compared,
    messages: after.message.fetched - message.fetched,
    tracks: after.tracks.fetched - tracks.fetched,
    scans: { messages: after.message.seq - message.seq, tracks: after.tracks.seq - tracks.seq },
  }
}

describe('a comparison of one portal among much larger ones', () => {
  it('reads its own messages once, by key, and its own ids in the warehouse, and confirmed ones never again', async () => {
    const [large, small] = [await world.connect(outbox), await world.connect(outbox)]
    await deliver(large, 60_000)
    await deliver(small, 10_000)
    const first = await costOf(small)
    expect(first.compared).toMatchObject({ confirmed: 10_000, missing: 0 })
    expect(first.scans).toEqual({ messages: 0, tracks: 0 })
    expect(first.messages).toBeLessThanOrEqual(10_000)
    expect(first.tracks).toBeLessThanOrEqual(10_000 + 1)

    const second = await costOf(small)
    expect(second.compared).toMatchObject({ confirmed: 10_000 })
    expect(second.tracks).toBeLessThanOrEqual(1) // its newest row
    expect(
      await world.rows('SELECT FROM outbox_batch WHERE confirmed_at IS NULL AND source_id = $1', [
        small.source.sourceId,
      ]),
    ).toEqual([])
  })
})
