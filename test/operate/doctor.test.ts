import { Client } from 'pg'
import type { Finding, Outbox } from 'synap-outbox'
import { INDEXES, TABLES } from '../../src/operate/doctor/expected-schema'
import { pinsSql } from '../../src/operate/doctor/horizon'
import { beganTest, createScene, random, type Scene } from '../support/scene'
import { databaseUrl, onServer } from '../support/template'
import { hasPgBouncer, startPgBouncer } from '../trouble/support/pgbouncer'

let scene: Scene
let outbox: Outbox

beforeEach(async () => {
  scene = await createScene()
  outbox = scene.outbox()
})
afterEach(() => scene.end())

const found = async (check: string, by: Outbox = outbox) =>
  (await by.inspect.doctor()).filter((finding) => finding.check === check)
const one = async (check: string, by?: Outbox) => (await found(check, by))[0] as Finding
const record = (portalId: string) =>
  scene.dataSource.transaction((tx) =>
    outbox.track(tx, 'Began Test', { portalId, userId: 'u', properties: beganTest() }),
  )

describe('the doctor', () => {
  it('finds nothing wrong with what is well', async () => {
    await scene.connect(outbox)
    await outbox.start()
    const findings = await outbox.inspect.doctor()
    expect(findings.filter(({ severity }) => severity !== 'ok')).toEqual([])
    expect(findings.map(({ check }) => check)).toEqual([
      'schema',
      'no-dispatcher',
      'lag-unclaimed',
      'source-in-trouble',
      'secret-key-missing',
      'not-in-warehouse',
      'retention-not-running',
      'vacuum-horizon-pinned',
      'bloat',
      'clock-skew',
      'connection-pooler',
    ])
    await outbox.stop()
    expect(await one('no-dispatcher')).toMatchObject({
      severity: 'problem',
      remedy: expect.stringContaining('outbox.start()'),
    })
  })

  it('knows the schema that the migration makes, and no other', async () => {
    const tables = await scene.rows<{ name: string; columns: string[]; constraints: string[] | null }>(
      `SELECT c.relname AS name,
         (SELECT array_agg(a.attname::text) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0) AS columns,
         (SELECT array_agg(k.conname::text) FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype <> 'n') AS constraints,
         (SELECT array_agg(i.indexrelid::regclass::text) FROM pg_index i WHERE i.indrelid = c.oid) AS indexes
       FROM pg_class c WHERE c.relkind = 'r' AND c.relname ~ '^(outbox|segment|source)_'`,
    )
    const sorted = (names: readonly string[]) => [...names].sort()
    const known = Object.values(TABLES).map(({ columns, constraints }) => [
      sorted(columns),
      sorted(constraints),
    ])
    const made = tables.map(({ columns, constraints }) => [sorted(columns), sorted(constraints ?? [])])
    expect(made.map(String).sort()).toEqual(known.map(String).sort())
    const indexes = await scene.rows<{ name: string }>(
      `SELECT i.relname AS name FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
       WHERE c.relname ~ '^(outbox|segment|source)_' AND NOT x.indisprimary`,
    )
    expect(indexes.map(({ name }) => name).sort()).toEqual(sorted(INDEXES))
  })

  it.each([
    ['DROP INDEX outbox_message_recorded', 'the index outbox_message_recorded is missing'],
    [
      `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'outbox_message_pending_by_source'::regclass`,
      'the index outbox_message_pending_by_source is invalid',
    ],
    [
      'ALTER TABLE outbox_message DROP CONSTRAINT outbox_message_settled_unless_pending',
      'the constraint outbox_message_settled_unless_pending is missing',
    ],
    ['ALTER TABLE outbox_batch DROP COLUMN wire_bytes', 'wire_bytes is missing'],
    ['DROP TABLE outbox_dispatcher', 'is not in this database'],
    ['DROP FUNCTION outbox_record', 'The function "outbox_record"(text[], boolean[], jsonb) is missing.'],
  ])('finds what %s has done', async (statement, what) => {
    await scene.rows(statement)
    expect(await one('schema')).toMatchObject({ severity: 'problem', found: expect.stringContaining(what) })
  })

  it('finds sources that wait though they could be sent for', async () => {
    const { portalId } = await scene.connect(outbox)
    await record(portalId)
    expect(await one('lag-unclaimed')).toMatchObject({ severity: 'ok' })
    await scene.rows(`UPDATE outbox_message SET recorded_at = now() - interval '1 hour'`)
    expect(await one('lag-unclaimed')).toMatchObject({
      severity: 'problem',
      found: expect.stringMatching(/^1 source could be sent for, and nobody does; .* 1 h\.$/),
    })
    // Claimed by a dispatcher, it is on its way.
    await scene.rows(
      `UPDATE source_delivery SET lease_owner = 'x', lease_expires_at = now() + interval '1 minute'`,
    )
    expect(await one('lag-unclaimed')).toMatchObject({ severity: 'ok' })
  })

  it('finds sources that are refused, and that fail for long', async () => {
    await outbox.sources.connect({ portalId: 'p', writeKey: 'nobody-knows-it-1234', insist: true })
    const failing = await scene.connect(outbox)
    await scene.rows(
      `UPDATE source_delivery SET failures = 7, last_error = 'HTTP 503' WHERE source_id = $1`,
      [failing.source.sourceId],
    )
    const findings = await found('source-in-trouble')
    expect(findings.map((finding) => finding.found)).toEqual([
      expect.stringMatching(/^Portal p .*Segment does not know/),
      expect.stringMatching(/7 attempts in a row failed \(HTTP 503\)/),
    ])
  })

  it('finds a secret key that is missing here', async () => {
    await scene.connect(outbox)
    const stranger = scene.outbox({ secretKeys: `k2:${Buffer.alloc(32, 9).toString('base64')}` })
    expect(await one('secret-key-missing', stranger)).toMatchObject({
      severity: 'problem',
      found: 'The secret key "k1" is missing here, and 1 stored write key was encrypted with it.',
    })
  })

  it('finds a secret key that only a warehouse’s address needs', async () => {
    const { source } = await scene.connect(outbox)
    const where = { sourceId: source.sourceId, url: scene.database.url, schema: 'meridian_production' }
    await outbox.warehouses.connect(where)
    const next = `k2:${Buffer.alloc(32, 9).toString('base64')}`
    const both = scene.outbox({ secretKeys: `${next},k1:${Buffer.alloc(32, 7).toString('base64')}` })
    await both.sources.rotateSecrets({ actor: 'olga', reason: 'yearly' })
    const later = scene.outbox({ secretKeys: next })
    expect(await one('secret-key-missing', later)).toMatchObject({
      severity: 'problem',
      found: 'The secret key "k1" is missing here, and 1 warehouse address was encrypted with it.',
      matters: 'These warehouses cannot be compared with.',
    })
    await both.warehouses.rotateSecrets()
    expect(await one('secret-key-missing', later)).toMatchObject({ severity: 'ok' })
  })

  it('finds lost canaries, once each, and messages that a comparison missed', async () => {
    const known = async (portalId: string, changes: string) => {
      const { source } = await scene.connect(outbox, { portalId })
      const { sourceId } = source
      await outbox.warehouses.connect({ sourceId, url: scene.database.url, schema: portalId })
      await scene.rows(`UPDATE segment_warehouse SET ${changes} WHERE source_id = $1`, [sourceId])
    }
    await known('sound', 'reconciled_at = now()')
    expect(await one('not-in-warehouse')).toMatchObject({ severity: 'ok' })
    await known('gap', `reconciled_at = '2026-11-23 09:00Z', missing = 1`)
    await known('dead-key', `canary_lost_since = '2026-11-23 09:00Z'`)
    expect(await found('not-in-warehouse')).toEqual([
      expect.objectContaining({
        severity: 'problem',
        found: expect.stringMatching(
          /^Portal dead-key .*canary that Segment accepted at 2026-11-23 09:00:00 UTC/,
        ),
      }),
      expect.objectContaining({
        severity: 'problem',
        found: expect.stringMatching(
          /^Portal gap .*1 delivered message was missing .* at 2026-11-23 09:00:00 UTC/,
        ),
        remedy: expect.stringContaining('synap-outbox reconcile'),
      }),
    ])
    expect(await one('source-in-trouble')).toMatchObject({ severity: 'ok' })
  })

  it('finds that nobody prunes', async () => {
    const { portalId } = await scene.connect(outbox)
    await record(portalId)
    await outbox.drain()
    await scene.rows(`UPDATE outbox_message SET settled_at = now() - interval '15 days'`)
    expect(await one('retention-not-running')).toMatchObject({ severity: 'ok' })
    await scene.rows(`UPDATE outbox_message SET settled_at = now() - interval '17 days'`)
    expect(await one('retention-not-running')).toMatchObject({
      severity: 'problem',
      found: expect.stringMatching(/delivered since .*, kept for 14 d/),
    })
    await outbox.prune()
    expect(await one('retention-not-running')).toMatchObject({ severity: 'ok' })
  })

  it('finds a replication slot that holds the vacuum horizon', async () => {
    const slot = `doctor_${random()}`
    await scene.rows(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slot])
    try {
      const [finding] = (await found('vacuum-horizon-pinned')).filter(({ found: what }) =>
        what.includes(slot),
      )
      expect(finding).toMatchObject({
        severity: 'problem',
        found: expect.stringContaining(`replication slot ${slot} (inactive)`),
        remedy: expect.stringContaining('pg_drop_replication_slot'),
      })
    } finally {
      await scene.rows('SELECT pg_drop_replication_slot($1)', [slot])
    }
  })

  it('finds tables that vacuum does not keep up with', async () => {
    await scene.rows('ALTER TABLE outbox_message SET (autovacuum_enabled = false)')
    const { source } = await scene.connect(outbox)
    await scene.rows(
      `INSERT INTO outbox_message (message_id, source_id, portal_id, type, user_id, body, wire_bytes, occurred_at)
       SELECT gen_random_uuid(), $1, 'p', 'page', 'u', '{}', 0, now() FROM generate_series(1, 12000)`,
      [source.sourceId],
    )
    await scene.rows('DELETE FROM outbox_message')
    const reported = async () => {
      await scene.rows('SELECT pg_stat_force_next_flush()')
      return (await one('bloat')).severity === 'notice'
    }
    while (!(await reported())); // statistics are told at the end of a transaction, by each connection for itself
    expect(await one('bloat')).toMatchObject({
      found: expect.stringMatching(/outbox_message has \d+ dead rows/),
    })
    await scene.rows('VACUUM outbox_message')
  })

  const describePooler = hasPgBouncer() ? it : it.skip
  describePooler.each([
    ['transaction', 'ok', 'session or transaction mode'],
    ['statement', 'problem', 'statement mode'],
  ] as const)('knows a pooler in %s mode', async (mode, severity, what) => {
    const bouncer = await startPgBouncer(process.env.TEST_SERVER_URL as string, 2, mode)
    try {
      const dataSource = await scene.database.connect({ url: bouncer.through(scene.database.url) })
      const behind = scene.outbox({ dataSource })
      expect(await one('connection-pooler', behind)).toMatchObject({
        severity,
        found: expect.stringContaining(what),
      })
      await dataSource.destroy()
    } finally {
      await bouncer.stop()
    }
  })

  it('does what it may with the rights of a role that may read the outbox, and no more', async () => {
    const role = `reader_${random()}`
    const { pathname } = new URL(scene.database.url)
    const database = pathname.slice(1)
    await scene.rows(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`)
    await scene.rows(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`)
    await scene.rows(`REVOKE SELECT ON segment_source FROM ${role}`)
    try {
      const url = new URL(databaseUrl(process.env.TEST_SERVER_URL as string, database))
      url.username = role
      url.password = 'secret'
      const dataSource = await scene.database.connect({ url: url.href })
      const findings = await scene.outbox({ dataSource }).inspect.doctor()
      const severities = Object.fromEntries(findings.map(({ check, severity }) => [check, severity]))
      expect(severities).toMatchObject({
        schema: 'ok',
        'vacuum-horizon-pinned': 'ok',
        'clock-skew': 'ok',
        'secret-key-missing': 'notice',
      })
      await dataSource.destroy()
    } finally {
      await scene.rows(`DROP OWNED BY ${role}`)
      await onServer(process.env.TEST_SERVER_URL as string, `DROP ROLE ${role}`)
    }
  })
})

describe('what holds the vacuum horizon', () => {
  it('is found once it is old: a session and a prepared transaction', async () => {
    // Ten minutes cannot pass in a test: the same query with no patience.
    const client = new Client({ connectionString: scene.database.url, application_name: 'forgotten' })
    await client.connect()
    try {
      await client.query(`BEGIN; CREATE TABLE doctored (id int); PREPARE TRANSACTION 'doctor''s'`)
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM outbox_message')
      const pins = await scene.rows<{ what: string; ageMs: string }>(pinsSql('0 seconds'))
      expect(pins.map(({ what }) => what)).toEqual(
        expect.arrayContaining([
          expect.stringMatching(/^session \d+ \(forgotten, idle in transaction\)$/),
          expect.stringMatching(/^prepared transaction 'doctor''s' of /),
        ]),
      )
      expect(pins.every(({ ageMs }) => ageMs === null || Number(ageMs) >= 0)).toBe(true)
    } finally {
      await client.query('ROLLBACK')
      await client.query(`ROLLBACK PREPARED 'doctor''s'`)
      await client.end()
    }
  })
})
