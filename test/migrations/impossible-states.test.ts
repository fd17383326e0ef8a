import { randomUUID } from 'node:crypto'
import { createTestDatabase, type TestDatabase } from '../support/database'

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

type Row = Record<string, unknown>

/** Inserts a row, all its values given as text. */
async function insert(table: string, row: Row): Promise<void> {
  const given = Object.entries(row).filter(([, value]) => value !== undefined)
  const columns = given.map(([name]) => name).join(', ')
  const places = given.map((_, i) => `$${i + 1}`).join(', ')
  await database.dataSource.query(
    `INSERT INTO ${table} (${columns}) VALUES (${places})`,
    given.map(([, value]) => value),
  )
}

const now = new Date()

const message = (changes: Row = {}): Row => ({
  message_id: randomUUID(),
  source_id: randomUUID(),
  occurred_at: now,
  wire_bytes: 100,
  type: 'track',
  event: 'Began Test',
  portal_id: 'portal',
  user_id: 'user',
  body: '{}',
  ...changes,
})

const batch = (changes: Row = {}): Row => ({
  first_seq: 1,
  last_seq: 2,
  lease_token: 1,
  source_id: randomUUID(),
  wire_bytes: 100,
  message_ids: [randomUUID()],
  ...changes,
})

const source = (changes: Row = {}): Row => ({
  source_id: randomUUID(),
  portal_id: randomUUID(),
  region: 'us',
  write_key_ciphertext: Buffer.alloc(60),
  write_key_secret_id: 'k1',
  write_key_last_four: 'abcd',
  ...changes,
})

const warehouse = (changes: Row = {}): Row => ({
  source_id: randomUUID(),
  lag_hours: 48,
  schema_name: 'meridian',
  url_ciphertext: Buffer.alloc(60),
  url_secret_id: 'k1',
  ...changes,
})

const audit = (changes: Row = {}): Row => ({
  messages: 1,
  actor: 'ada',
  action: 'discard',
  reason: 'a test of ours',
  selection: '{}',
  ...changes,
})

const dispatcher = (changes: Row = {}): Row => ({
  owner: randomUUID(),
  interval_ms: 5000,
  version: '1.0.0',
  ...changes,
})

const sample = (changes: Row = {}): Row => ({ at: now, lag_ms: 0, pending: 0, ...changes })

const backfill = (changes: Row = {}): Row => ({
  source_id: randomUUID(),
  event: 'Began Test',
  from_at: new Date(0),
  to_at: now,
  ...changes,
})

describe('the tables take what is possible', () => {
  it.each([
    ['a pending track', {}],
    ['a pending identify, which has no event', { type: 'identify', event: null }],
    ['a page of an anonymous visitor', { type: 'page', event: null, user_id: null, anonymous_id: 'a' }],
    ['delivered by a batch', { status: 'delivered', settled_at: now, batch_id: 1 }],
    [
      'delivered, as a person said',
      { status: 'delivered', settled_at: now, reason: 'seen in the warehouse' },
    ],
    ['dead, with its reason', { status: 'dead', settled_at: now, reason: 'too large' }],
    ['dead because nobody is named', { status: 'dead', settled_at: now, reason: 'no userId', user_id: null }],
    ['uncertain, with its reason', { status: 'uncertain', settled_at: now, reason: 'past the window' }],
    ['discarded, with its reason', { status: 'discarded', settled_at: now, reason: 'asked to' }],
    [
      'delivered and erased',
      { status: 'delivered', settled_at: now, batch_id: 1, user_id: null, erased_at: now },
    ],
  ])('message: %s', async (_, changes) => {
    await expect(insert('outbox_message', message(changes))).resolves.toBeUndefined()
  })

  it.each([
    ['open', {}],
    ['out', { attempt_started_at: now, first_ambiguous_at: now }],
    ['open after an outcome nobody knows', { first_ambiguous_at: now, attempt_count: 1 }],
    ['settled', { outcome: 'delivered', settled_at: now, first_ambiguous_at: now, attempt_count: 1 }],
  ])('batch: %s', async (_, changes) => {
    await expect(insert('outbox_batch', batch(changes))).resolves.toBeUndefined()
  })

  it('audit: what a person did', async () => {
    await expect(insert('outbox_audit', audit())).resolves.toBeUndefined()
    const paused = { action: 'pause', messages: 0, source_id: randomUUID() }
    await expect(insert('outbox_audit', audit(paused))).resolves.toBeUndefined()
  })

  it('dispatcher: one that ticks', async () => {
    await expect(insert('outbox_dispatcher', dispatcher())).resolves.toBeUndefined()
  })

  it('sample: one for each minute', async () => {
    await expect(insert('outbox_sample', sample())).resolves.toBeUndefined()
    await expect(insert('outbox_sample', sample())).rejects.toThrow('outbox_sample_pkey')
  })

  it('source: one that is active, and any number that are disabled, for a portal', async () => {
    const portal_id = randomUUID()
    for (const status of ['disabled', 'disabled', 'paused']) {
      await insert('segment_source', source({ portal_id, status }))
    }
    await expect(insert('segment_source', source({ portal_id, status: 'enabled' }))).rejects.toThrow(
      'segment_source_one_active_per_portal',
    )
  })
})

type Case = [what: string, constraint: string, changes: Row]

const impossibleMessages: Case[] = [
  ['pending and settled', 'settled_unless_pending', { settled_at: now, reason: 'none', batch_id: 1 }],
  ['delivered and not settled', 'settled_unless_pending', { status: 'delivered', batch_id: 1 }],
  ['delivered by no batch and for no reason', 'end_has_reason', { status: 'delivered', settled_at: now }],
  ['dead for no reason', 'end_has_reason', { status: 'dead', settled_at: now, batch_id: 1 }],
  ['uncertain for no reason', 'end_has_reason', { status: 'uncertain', settled_at: now, batch_id: 1 }],
  ['discarded for no reason', 'end_has_reason', { status: 'discarded', settled_at: now, batch_id: 1 }],
  ['dead for an empty reason', 'reason_check', { status: 'dead', settled_at: now, reason: '' }],
  ['in a status there is not', 'status_known', { status: 'sent', settled_at: now, reason: 'r' }],
  ['of a type there is not', 'type_known', { type: 'screen', event: null }],
  ['a track without an event', 'track_has_event', { event: null }],
  ['an identify with an event', 'track_has_event', { type: 'identify' }],
  ['pending, about nobody', 'sendable_has_identity', { user_id: null }],
  [
    'delivered, about nobody',
    'sendable_has_identity',
    { user_id: null, status: 'delivered', settled_at: now, batch_id: 1 },
  ],
  [
    'erased, and still of a user',
    'erased_is_nobody',
    { erased_at: now, status: 'discarded', settled_at: now, reason: 'r' },
  ],
  ['erased, and still to be sent', 'erased_is_nobody', { erased_at: now, user_id: null }],
  ['with an empty userId', 'user_id_check', { user_id: '' }],
  ['with an empty anonymousId', 'anonymous_id_check', { anonymous_id: '' }],
  ['with a body that is no object', 'body_check', { body: '[]' }],
  ['of a negative size', 'wire_bytes_check', { wire_bytes: -1 }],
]

const impossibleBatches: Case[] = [
  ['closed without an outcome', 'settled_with_outcome', { settled_at: now }],
  ['with an outcome and not closed', 'settled_with_outcome', { outcome: 'dead' }],
  ['with an outcome there is not', 'outcome_check', { outcome: 'lost', settled_at: now }],
  [
    'closed while its request is out',
    'settled_is_not_out',
    { outcome: 'delivered', settled_at: now, attempt_started_at: now, first_ambiguous_at: now },
  ],
  ['out, and surely not accepted', 'out_may_be_accepted', { attempt_started_at: now }],
  ['confirmed and still open', 'confirmed_is_settled', { confirmed_at: now }],
  ['of no messages', 'message_ids_check', { message_ids: [] }],
  ['with a history that is no list', 'attempts_check', { attempts: '{}' }],
  ['with attempts below none', 'attempt_count_check', { attempt_count: -1 }],
  ['of a negative size', 'wire_bytes_check', { wire_bytes: -1 }],
]

const impossibleSources: Case[] = [
  ['of no portal', 'portal_id_check', { portal_id: '' }],
  ['in a region there is not', 'region_check', { region: 'ap' }],
  ['in a status there is not', 'status_check', { status: 'on' }],
  ['verified as there is not', 'verification_check', { verification: 'maybe' }],
  ['that shows more of its key', 'write_key_last_four_check', { write_key_last_four: 'abcde' }],
  ['encrypted by no key', 'write_key_secret_id_check', { write_key_secret_id: '' }],
  ['before its first key', 'write_key_version_check', { write_key_version: 0 }],
]

const impossibleWarehouses: Case[] = [
  ['that loads before anything happens', 'lag_hours_check', { lag_hours: 0 }],
  ['with a canary at every moment', 'canary_minutes_check', { canary_minutes: 0 }],
  ['that misses less than nothing', 'missing_check', { missing: -1 }],
  ['without a schema', 'schema_name_check', { schema_name: '' }],
  ['encrypted by no key', 'url_secret_id_check', { url_secret_id: '' }],
]

const impossibleAudits: Case[] = [
  ['by nobody', 'actor_check', { actor: '' }],
  ['for no reason', 'reason_check', { reason: '' }],
  ['of what there is not', 'action_check', { action: 'forget' }],
  ['of less than no messages', 'messages_check', { messages: -1 }],
]

const impossibleDispatchers: Case[] = [
  ['that is nobody', 'owner_check', { owner: '' }],
  ['that never ticks', 'interval_ms_check', { interval_ms: 0 }],
  ['of no version', 'version_check', { version: '' }],
]

const impossibleSamples: Case[] = [
  ['of fewer than none', 'pending_check', { pending: -1 }],
  ['of what has yet to be recorded', 'lag_ms_check', { lag_ms: -1 }],
]

const impossibleBackfills: Case[] = [
  ['of no event', 'event_check', { event: '' }],
  ['of an empty range', 'range_is_not_empty', { from_at: now }],
  ['that ends before it begins', 'range_is_not_empty', { to_at: new Date(-1) }],
  ['read through no cursor', 'read_through_check', { read_through: '' }],
  ['that recorded less than nothing', 'recorded_check', { recorded: -1 }],
  ['of duplicates below none', 'duplicates_check', { duplicates: -1 }],
  ['that diverted less than nothing', 'diverted_check', { diverted: -1 }],
]

describe.each([
  ['outbox_audit', audit, impossibleAudits],
  ['outbox_backfill', backfill, impossibleBackfills],
  ['outbox_dispatcher', dispatcher, impossibleDispatchers],
  ['outbox_sample', sample, impossibleSamples],
  ['outbox_message', message, impossibleMessages],
  ['outbox_batch', batch, impossibleBatches],
  ['segment_source', source, impossibleSources],
  ['segment_warehouse', warehouse, impossibleWarehouses],
] as const)('the database itself refuses in %s a row', (table, row, cases) => {
  it.each(cases)('%s (%s)', async (_, constraint, changes) => {
    await expect(insert(table, row(changes))).rejects.toMatchObject({
      driverError: { code: '23514', constraint: `${table}_${constraint}` },
    })
  })

  it('for each of its constraints: none is without its case above', async () => {
    const checks: { name: string }[] = await database.dataSource.query(
      `SELECT conname AS name FROM pg_constraint WHERE contype = 'c' AND conrelid = $1::regclass`,
      [table],
    )
    const covered = new Set(cases.map(([, constraint]) => `${table}_${constraint}`))
    expect(checks.map(({ name }) => name).filter((name) => !covered.has(name))).toEqual([])
  })
})

it('the database itself refuses in source_delivery failures below none, and state of no source', async () => {
  const source_id = randomUUID()
  await expect(insert('source_delivery', { source_id })).rejects.toMatchObject({
    driverError: { constraint: 'source_delivery_source_id_fkey' },
  })
  await insert('segment_source', source({ source_id }))
  await expect(insert('source_delivery', { source_id, failures: -1 })).rejects.toMatchObject({
    driverError: { constraint: 'source_delivery_failures_check' },
  })
})
