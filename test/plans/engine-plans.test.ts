import type { Outbox } from 'synap-outbox'
import type { DataSource } from 'typeorm'
import { createScene, type Scene } from '../support/scene'
import { type Explained, explainAll } from './explained'

/** Messages in a batch, and rows in a chunk of pruning. */
const BATCH = 250
/** Enough that reading the table from end to end costs several times what any statement below may. */
const DELIVERED = 40_000
const by = { actor: 'olga', reason: 'a test' }

let scene: Scene
let dataSource: DataSource
let outbox: Outbox
let explained: Explained[]
let tablePages: number

/** What is in the tables when the statements are explained, and what the planner believes is in them. */
const SITUATIONS: Record<string, () => Promise<void>> = {
  'never analysed': async () => {
    await fill(20, DELIVERED, 1000)
  },
  'all delivered when it was analysed': async () => {
    await fill(20, DELIVERED, 0)
    await scene.rows('VACUUM (ANALYZE) outbox_message, outbox_batch')
    await pending(1000)
  },
  'one portal has everything': async () => {
    await fill(1, DELIVERED, 3000)
    await scene.rows('VACUUM (ANALYZE) outbox_message, outbox_batch')
  },
  'ten thousand portals': async () => {
    await fill(10_000, DELIVERED, 1000)
    await scene.rows('VACUUM (ANALYZE)')
  },
}

beforeEach(async () => {
  scene = await createScene()
  // What the planner believes is the test's to decide.
  for (const table of ['outbox_message', 'outbox_batch', 'source_delivery', 'segment_source']) {
    await scene.rows(`ALTER TABLE ${table} SET (autovacuum_enabled = off)`)
  }
  dataSource = await scene.database.connect()
  outbox = scene.outbox({
    dataSource,
    dispatcher: { batchMessages: BATCH },
    retention: { chunk: BATCH },
  })
})
afterEach(() => scene.end())

describe.each(Object.entries(SITUATIONS))('with %s,', (_, prepare) => {
  beforeEach(async () => {
    await prepare()
    ;({ pages: tablePages } = (
      await scene.rows<{ pages: number }>(
        `SELECT (pg_relation_size('outbox_message') / current_setting('block_size')::int)::int AS pages`,
      )
    )[0] as { pages: number })
    explained = explainAll(dataSource)
  })

  it('the way of a message costs what is waiting, not what is stored', async () => {
    await outbox.drain()

    const lease = only(/WITH RECURSIVE waiting/)
    expectIndexed(lease, 'outbox_message_pending_by_source')
    const reads = only(/chosen AS MATERIALIZED/)
    expectIndexed(reads, 'outbox_message_pending_by_source')
    for (const read of reads) expectPages(read, 8 * BATCH)
    expectIndexed(only(/INSERT INTO "outbox_batch"/), 'outbox_batch_open_by_source')
    const settled = only(/SET outcome = \$5|SET outcome = 'delivered'/)
    expectIndexed(settled, 'outbox_message_pending_by_source')
    for (const settle of settled) expectPages(settle, 20 * BATCH)
    expectIndexed(only(/SET lease_owner = NULL/), 'outbox_message_pending_by_source')
    for (const { buffers } of only(/SET lease_owner = NULL/)) expect(buffers).toBeLessThan(100)
  })

  it('splitting a refused batch finds its messages by their ids', async () => {
    let refusals = 0
    scene.segment.fault({ kind: 'poison', predicate: () => refusals++ === 0 })
    await outbox.drain()
    const splits = only(/INSERT INTO "outbox_batch" \(parent_id/)
    expectIndexed(splits, 'outbox_message_pkey')
    for (const split of splits) expectPages(split, 8 * BATCH)
    const resumed = only(/'verdict', 'lost'/)
    expectIndexed(resumed, 'outbox_batch_open_by_source', 'outbox_message_pkey')
    for (const resume of resumed) expectPages(resume, 8 * BATCH)
  })

  it('pruning walks the expired rows alone', async () => {
    await scene.rows(
      `UPDATE outbox_message SET settled_at = now() - interval '15 days' WHERE message_id IN
         (SELECT message_id FROM outbox_message WHERE status = 'delivered' LIMIT ${BATCH / 2})`,
    )
    await outbox.prune()
    const [delivered, ...others] = only(/DELETE FROM "outbox_message"/)
    expectIndexed([delivered as Explained], 'outbox_message_settled_for_prune')
    expectPages(delivered as Explained, 10 * BATCH)
    expectIndexed(others)
    for (const chunk of others) expectPages(chunk, 100)
    for (const batches of only(/DELETE FROM "outbox_batch"/)) {
      expect(batches.indexes).toContain('outbox_batch_settled_for_prune')
      expectPages(batches, 100)
    }
  })

  it('what an operator selects by id is found by id', async () => {
    const ids = await scene.rows<{ id: string }>(
      `UPDATE outbox_message m SET status = 'uncertain', reason = 'the window is over' WHERE message_id IN
         (SELECT message_id FROM outbox_message WHERE status = 'delivered' LIMIT 10) RETURNING message_id AS id`,
    )
    const [rows] = ids as unknown as [{ id: string }[]]
    const messageIds = rows.map(({ id }) => id)
    expect(await outbox.redrive({ messageIds }, { ...by, inDoubt: 'send-again' })).toMatchObject({
      redriven: 10,
    })
    for (const change of only(/'send again'/)) expectPages(change, tablePages / 2)
  })
})

describe('beside a portal that has all that waits', () => {
  it('a quiet one costs what it has itself, whatever becomes of its batches', async () => {
    await fill(1, DELIVERED / 4, DELIVERED)
    const { portalId } = await scene.connect(outbox)
    await scene.rows('VACUUM (ANALYZE)')
    const [flooded] = await scene.rows<{ id: string }>(
      `SELECT source_id AS id FROM segment_source WHERE portal_id = 'portal-0'`,
    )
    await outbox.sources.pause(flooded?.id as string, by)
    const record = (n: number) =>
      dataSource.transaction((tx) =>
        outbox.record(
          tx,
          Array.from({ length: n }, () => ({ type: 'identify' as const, portalId, userId: 'u', traits: {} })),
        ),
      )
    explained = explainAll(dataSource)

    await record(3)
    await outbox.drain()
    await record(3)
    scene.segment.fault({ kind: 'status', status: 500 }, { times: 1 })
    await outbox.drain()
    let refusals = 0
    scene.segment.fault({ kind: 'poison', predicate: () => refusals++ === 0 })
    await scene.rows(`UPDATE source_delivery SET resume_at = '-infinity'`)
    await outbox.drain()
    expect(
      await scene.rows(`SELECT FROM outbox_message WHERE portal_id = $1 AND status = 'delivered'`, [
        portalId,
      ]),
    ).toHaveLength(6)

    expect(explained.length).toBeGreaterThan(8)
    expectIndexed(explained)
    for (const statement of explained) expectPages(statement, 300)
  })
})

describe('while the vacuum horizon is held', () => {
  it('a batch read from the low-water mark does not walk past what is settled', async () => {
    await fill(1, 1000, 6 * BATCH)
    await scene.rows('VACUUM (ANALYZE) outbox_message, outbox_batch')
    await whileHeld(() => outbox.drain())
    const reads = only(/chosen AS MATERIALIZED/)
    expect(reads.length).toBeGreaterThanOrEqual(6)
    // Each settled message leaves a dead index entry behind, which a read from the beginning would visit again.
    const [, second] = reads
    for (const read of reads.slice(2))
      expect(read.buffers).toBeLessThan((second as Explained).buffers + 3 * BATCH)
  })

  it('a chunk of pruning does not walk past what the chunks before it removed', async () => {
    await fill(1, 8 * BATCH, 0)
    // In no order of the table's pages: each dead index entry that is visited costs a page.
    await scene.rows(
      `UPDATE outbox_message SET settled_at = now() - interval '15 days' - random() * interval '1 day'`,
    )
    await scene.rows('VACUUM (ANALYZE) outbox_message, outbox_batch')
    await whileHeld(() => outbox.prune())
    const chunks = only(/DELETE FROM "outbox_message"/).slice(0, 8)
    expect(chunks).toHaveLength(8)
    for (const chunk of chunks) expect(chunk.buffers).toBeLessThan((chunks[0] as Explained).buffers + BATCH)
  })
})

/** Explains what is done while another session's snapshot keeps vacuum, and the pruning of index entries, from clearing. */
async function whileHeld(act: () => Promise<unknown>): Promise<void> {
  const holder = dataSource.createQueryRunner()
  await holder.startTransaction('REPEATABLE READ')
  await holder.query('SELECT count(*) FROM outbox_message') // sees all of it as it is now, and only reads
  try {
    explained = explainAll(dataSource)
    await act()
  } finally {
    await holder.rollbackTransaction()
    await holder.release()
  }
}

/** The explained statements that match; there has to be one. */
function only(pattern: RegExp): Explained[] {
  const found = explained.filter(({ sql }) => pattern.test(sql))
  if (found.length === 0) throw new Error(`No statement matches ${pattern}: has it been renamed?`)
  return found
}

/** They use these indexes, and read no table of messages or batches from end to end. */
function expectIndexed(statements: Explained[], ...indexes: string[]): void {
  for (const { indexes: used, sequential, tree } of statements) {
    const wrong = sequential.filter((table) => /^outbox_(message|batch)$/.test(table))
    const missing = indexes.filter((index) => !used.includes(index))
    expect({ wrong, missing, tree }).toEqual({ wrong: [], missing: [], tree })
  }
}

/** It touches at most so many pages, which is less than the table has. */
function expectPages({ buffers, tree }: Explained, most: number): void {
  expect({ buffers, few: buffers <= most, tree }).toEqual({ buffers, few: true, tree })
}

/** Portals with delivered messages, the batches they went out in, and pending ones, spread evenly. */
async function fill(portals: number, delivered: number, waiting: number): Promise<void> {
  const { source } = await scene.connect(outbox, { portalId: 'portal-0' })
  await scene.rows(
    `WITH copied AS (
       INSERT INTO segment_source (source_id, portal_id, region, write_key_ciphertext, write_key_secret_id, write_key_last_four)
       SELECT gen_random_uuid(), 'portal-' || i, 'us', write_key_ciphertext, write_key_secret_id, write_key_last_four
       FROM segment_source, generate_series(1, $2::int - 1) AS i WHERE source_id = $1
       RETURNING source_id
     )
     INSERT INTO source_delivery (source_id) SELECT source_id FROM copied`,
    [source.sourceId, portals],
  )
  await write(delivered, 'delivered')
  await scene.rows(
    `INSERT INTO outbox_batch (source_id, lease_token, message_ids, first_seq, last_seq, wire_bytes, outcome, settled_at)
     SELECT min(source_id::text)::uuid, 1, array_agg(message_id), min(seq), max(seq), sum(wire_bytes), 'delivered', now()
     FROM outbox_message GROUP BY seq / 10`,
  )
  await write(waiting, 'pending')
}

const pending = (count: number) => write(count, 'pending')

/** Messages of all portals in turns; those that wait belong to the one whose write key can be decrypted. */
async function write(count: number, status: 'delivered' | 'pending'): Promise<void> {
  await scene.rows(
    `WITH source AS (SELECT source_id, portal_id, row_number() OVER (ORDER BY portal_id) - 1 AS n FROM segment_source)
     INSERT INTO outbox_message (message_id, source_id, portal_id, type, event, user_id, body, wire_bytes, occurred_at,
                                 status, settled_at, batch_id)
     SELECT gen_random_uuid(), source_id, portal_id, 'track', 'Began Test', 'u',
            jsonb_build_object('type', 'track', 'event', 'Began Test', 'userId', 'u', 'properties', '{}'::jsonb), 400, now(),
            $2, CASE WHEN $2 = 'delivered' THEN now() END, CASE WHEN $2 = 'delivered' THEN 1 END
     FROM generate_series(1, $1::int) AS i
     JOIN source ON n = CASE WHEN $2 = 'pending' THEN 0 ELSE i % (SELECT count(*) FROM source) END
     ORDER BY i`,
    [count, status],
  )
}
