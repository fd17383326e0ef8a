import { createOutbox, type Outbox } from 'synap-outbox'
import { createTestDatabase, type TestDatabase } from '../support/database'

/**
 * Whatever the planner believes, the console reads along the index that was made for it, and a bounded number of
 * buffers. The statistics here are those of real trouble: none at all, those from before a backlog, one portal that
 * has everything, and many that have little.
 */
const ROWS = 60_000
/** Buffers of 8 kB that a page of 50 messages may touch: its rows, each on a page of its own, and the way to them. */
const PAGE_BUFFERS = 400
/** The same where rows are compared on the way. */
const LOOK_BUFFERS = 8000

interface Plan {
  'Node Type': string
  'Index Name'?: string
  'Relation Name'?: string
  'Shared Hit Blocks': number
  'Shared Read Blocks': number
  Plans?: Plan[]
}

let database: TestDatabase
let outbox: Outbox
let plans: Plan[] = []

/** An outbox whose every statement is explained, as it runs, with its parameters. */
function explained(): Outbox {
  const { dataSource } = database
  const original = dataSource.query.bind(dataSource)
  const proxy = new Proxy(dataSource, {
    get(target, name) {
      if (name !== 'query') return Reflect.get(target, name, target)
      return async (sql: string, parameters?: unknown[]) => {
        const [row] = await original(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`, parameters)
        plans.push(row['QUERY PLAN'][0].Plan)
        return original(sql, parameters)
      }
    },
  })
  return createOutbox({ dataSource: proxy, secretKeys: `k1:${Buffer.alloc(32, 7).toString('base64')}` })
}

const nodes = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodes)]
const indexes = () =>
  new Set(
    plans
      .flatMap(nodes)
      .flatMap(({ 'Index Name': name }) => (name?.startsWith('outbox_message') ? [name] : [])),
  )
const scannedWhole = () =>
  plans
    .flatMap(nodes)
    .filter((node) => node['Node Type'] === 'Seq Scan' && node['Relation Name'] === 'outbox_message')
const buffers = () =>
  plans.reduce((sum, plan) => sum + plan['Shared Hit Blocks'] + plan['Shared Read Blocks'], 0)

const fill = (portal: string, status: string) =>
  database.dataSource.query(
    `INSERT INTO outbox_message (message_id, source_id, portal_id, type, event, user_id, body, wire_bytes, occurred_at,
                                 recorded_at, status, reason, settled_at)
     SELECT gen_random_uuid(), md5(${portal})::uuid, ${portal}, 'track', 'Event ' || i % 10, 'user-' || i % 2000,
            jsonb_build_object('filler', repeat('x', 300)), 400, now(), now() - i * interval '1 second', s.status,
            CASE WHEN s.status <> 'pending' THEN 'r' END, CASE WHEN s.status <> 'pending' THEN now() END
     FROM generate_series(1, ${ROWS}) i, LATERAL (SELECT ${status} AS status) s`,
  )

const DELIVERED = `CASE WHEN i % 1000 = 7 THEN 'dead' WHEN i % 5000 = 9 THEN 'uncertain' ELSE 'delivered' END`
const worlds: [string, () => Promise<unknown>][] = [
  ['never analysed', () => fill(`'portal-' || i % 100`, DELIVERED)],
  [
    'analysed, one portal with everything, all delivered',
    async () => {
      await fill(`'portal-1'`, DELIVERED)
      await database.dataSource.query('VACUUM ANALYZE outbox_message')
    },
  ],
  [
    'analysed, ten thousand portals',
    async () => {
      await fill(`'portal-' || i % 10000`, DELIVERED)
      await database.dataSource.query('ANALYZE outbox_message')
    },
  ],
  [
    'analysed while everything was pending, and delivered since',
    async () => {
      await fill(`'portal-' || i % 100`, `'pending'`)
      await database.dataSource.query('ANALYZE outbox_message')
      await database.dataSource.query(
        `UPDATE outbox_message SET status = 'delivered', reason = 'r', settled_at = now()
         WHERE message_id IN (SELECT message_id FROM outbox_message ORDER BY recorded_at OFFSET 100)`,
      )
      await database.dataSource.query('VACUUM outbox_message') // as autovacuum does, long before it analyses
    },
  ],
]

describe.each(worlds)('the console’s queries on a table %s', (_, build) => {
  beforeAll(async () => {
    database = await createTestDatabase()
    // Statistics stay what the test made them.
    await database.dataSource.query('ALTER TABLE outbox_message SET (autovacuum_enabled = false)')
    await build()
    outbox = explained()
  }, 120_000)
  afterAll(() => database.drop())
  beforeEach(() => {
    plans = []
  })

  /** The first page, and one that begins after most of the rows. */
  const firstAndDeep = async (filter: Parameters<Outbox['inspect']['messages']>[0]) => {
    await outbox.inspect.messages(filter)
    const [deep] = await database.dataSource.query(
      `SELECT (extract(epoch FROM now() - interval '${ROWS - 200} seconds') * 1000000)::bigint::text AS micros`,
    )
    const after = Buffer.from(`${deep.micros} 00000000-0000-4000-8000-000000000000`).toString('base64url')
    await outbox.inspect.messages(filter, { after })
    expect(scannedWhole()).toEqual([])
  }

  it.each<[string, Parameters<Outbox['inspect']['messages']>[0], string[], number]>([
    ['newest first', {}, ['outbox_message_recorded'], PAGE_BUFFERS],
    ['of one portal', { portalId: 'portal-1' }, ['outbox_message_recorded_by_portal'], PAGE_BUFFERS],
    [
      'of a portal that has none',
      { portalId: 'nobody' },
      ['outbox_message_recorded_by_portal'],
      PAGE_BUFFERS,
    ],
    [
      'of one user',
      { who: 'user-7' },
      ['outbox_message_recorded_by_anonymous', 'outbox_message_recorded_by_user'],
      PAGE_BUFFERS,
    ],
    ['that are dead', { status: 'dead' }, ['outbox_message_failed'], PAGE_BUFFERS],
    [
      'dead of a portal',
      { status: 'dead', portalId: 'portal-1' },
      ['outbox_message_failed_by_portal'],
      PAGE_BUFFERS,
    ],
    ['of one event', { event: 'Event 3' }, ['outbox_message_recorded'], LOOK_BUFFERS],
    ['of no event there is', { event: 'Nothing' }, ['outbox_message_recorded'], LOOK_BUFFERS],
    [
      'delivered to one portal',
      { status: 'delivered', portalId: 'portal-1' },
      ['outbox_message_recorded_by_portal'],
      LOOK_BUFFERS,
    ],
  ])('messages %s', async (_name, filter, expected, most) => {
    await firstAndDeep(filter)
    // Where one portal has everything, the walk along all messages is as good; and what failed has indexes enough, that
    // of pruning among them while it is little. What is read stays bounded either way.
    const asGood = /^outbox_message_(recorded|failed)$/
    const others = [...indexes()].filter((name) => !expected.includes(name) && !asGood.test(name))
    const failed = filter?.status === 'dead'
    expect(others).toEqual(failed && others.length > 0 ? ['outbox_message_settled_for_prune'] : [])
    expect(buffers()).toBeLessThan(2 * most)
  })

  it('one message, and its place in the line', async () => {
    const [{ id }] = await database.dataSource.query('SELECT message_id AS id FROM outbox_message LIMIT 1')
    await outbox.inspect.message(id)
    expect(scannedWhole()).toEqual([])
    expect(buffers()).toBeLessThan(1000) // the line behind it is counted
  })

  it('the overview counts along the indexes', async () => {
    await outbox.inspect.overview()
    expect(scannedWhole()).toEqual([])
  })

  it('sources, failures and what is dead of one portal', async () => {
    await database.dataSource.query(
      `INSERT INTO segment_source (source_id, portal_id, region, write_key_ciphertext, write_key_secret_id,
                                   write_key_last_four)
       SELECT md5('portal-' || i)::uuid, 'portal-' || i, 'us', '', 'k1', 'abcd' FROM generate_series(1, 100) i
       ON CONFLICT DO NOTHING`,
    )
    await outbox.inspect.sources()
    await outbox.inspect.failures({ portalId: 'portal-1' })
    await outbox.inspect.preview({ portalId: 'portal-1', status: ['dead'] })
    await outbox.inspect.health()
    expect(scannedWhole()).toEqual([])
    expect(buffers()).toBeLessThan(LOOK_BUFFERS)
  })

  it('erasing one user', async () => {
    await outbox.erase({ userId: 'user-7' }, { actor: 'a', reason: 'r' })
    expect(scannedWhole()).toEqual([])
    expect(indexes()).toContain('outbox_message_recorded_by_user')
  })
})
