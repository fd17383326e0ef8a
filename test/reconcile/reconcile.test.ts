import { OperationError, type Outbox } from 'synap-outbox'
import { compare, createWarehouseScene, type WarehousePortal, type WarehouseScene } from './warehouse-scene'

let world: WarehouseScene
let outbox: Outbox
let portal: WarehousePortal

beforeAll(async () => {
  world = await createWarehouseScene()
  outbox = world.outbox()
})
beforeEach(async () => {
  portal = await world.connect(outbox)
})
afterAll(() => world.end())

const by = { actor: 'olga', reason: 'INC-42' }
const load = () => world.segment.loadWarehouse()
const statusOf = async (messageId: string) =>
  (
    await world.rows<{ status: string; reason: string | null }>(
      'SELECT status, reason FROM outbox_message WHERE message_id = $1',
      [messageId],
    )
  )[0]
const batches = () =>
  world.rows<{ confirmed: boolean }>(
    `SELECT confirmed_at IS NOT NULL AS confirmed FROM outbox_batch WHERE source_id = $1 ORDER BY batch_id`,
    [portal.source.sourceId],
  )
/** The network swallowed the answer and the window has passed; `arrived` says whether Segment has the message. */
async function uncertain(attempt: string, arrived: boolean): Promise<string> {
  const lost = world.segment.fault(
    { kind: arrived ? 'reset-after-accept' : 'reset-before-read' },
    { writeKey: portal.writeKey },
  )
  const [messageId] = await world.send(outbox, portal, [attempt])
  await lost.clear()
  await world.rows(
    `UPDATE outbox_batch SET first_ambiguous_at = now() - interval '24 hours' WHERE source_id = $1 AND outcome IS NULL`,
    [portal.source.sourceId],
  )
  await world.rows(`UPDATE source_delivery SET resume_at = '-infinity' WHERE source_id = $1`, [
    portal.source.sourceId,
  ])
  await outbox.drain()
  return messageId as string
}

describe('reconcile', () => {
  it('confirms what is in the warehouse, by event and day, and asks for it only once', async () => {
    await world.send(outbox, portal, ['a', 'b'])
    await world.scene.dataSource.transaction(async (tx) => {
      const who = { portalId: portal.portalId, userId: 'u' }
      await outbox.page(tx, { ...who, name: 'Home', properties: { path: '/' } })
      await outbox.group(tx, { ...who, groupId: 'g', traits: { kind: 'portal', name: 'G' } })
      await outbox.identify(tx, { ...who, traits: {} })
    })
    await outbox.drain()
    await load()
    const day = new Date().toISOString().slice(0, 10)
    const first = await compare(outbox, portal)
    expect(first).toMatchObject({
      confirmed: 5,
      missing: 0,
      awaited: 0,
      unexpected: 0,
      duplicated: 0,
      gaps: [],
    })
    expect(first.loadedThrough).toBeInstanceOf(Date)
    expect(first.days).toEqual([
      expect.objectContaining({ day, type: 'group', event: null, confirmed: 1 }),
      expect.objectContaining({ day, type: 'identify', event: null, confirmed: 1 }),
      expect.objectContaining({ day, type: 'page', event: null, confirmed: 1 }),
      expect.objectContaining({ day, type: 'track', event: 'Began Test', confirmed: 2 }),
    ])
    expect(await batches()).toEqual([{ confirmed: true }, { confirmed: true }])

    await world.warehouseRows(`TRUNCATE ${portal.schema}.tracks, ${portal.schema}.pages`)
    expect(await compare(outbox, portal)).toMatchObject({ confirmed: 5, missing: 0 })
    const [saved] = await outbox.warehouses.list({ portalId: portal.portalId })
    expect(saved).toMatchObject({ missing: 0, reconciledAt: expect.any(Date) })
  })

  it('says of what is young that it is not loaded yet, and of what is old that it is missing', async () => {
    const ids = await world.send(outbox, portal, ['a', 'b'])
    const young = await compare(outbox, portal, { lagHours: 2 })
    expect(young).toMatchObject({ awaited: 2, missing: 0, loadedThrough: null })
    expect(young.gaps).toEqual([
      expect.objectContaining({ cause: 'not-loaded-yet', messages: 2, examples: ids }),
    ])
    await world.rows(
      `UPDATE outbox_batch SET settled_at = settled_at - interval '3 hours' WHERE source_id = $1`,
      [portal.source.sourceId],
    )
    expect(await compare(outbox, portal, { lagHours: 2 })).toMatchObject({ awaited: 0, missing: 2 })
    await load()
    expect(await compare(outbox, portal, { lagHours: 2 })).toMatchObject({ missing: 0, confirmed: 2 })
  })

  it('counts what the outbox did not send, and what is there twice', async () => {
    const [id] = await world.send(outbox, portal, ['a', 'b'])
    await load()
    await world.warehouseRows(`ALTER TABLE ${portal.schema}.tracks DROP CONSTRAINT tracks_pkey`)
    await world.warehouseRows(`CREATE INDEX ON ${portal.schema}.tracks (id)`)
    await world.warehouseRows(
      `INSERT INTO ${portal.schema}.tracks SELECT * FROM ${portal.schema}.tracks WHERE id = $1`,
      [id],
    )
    // A second ago: a comparison ends at the millisecond in which it begins.
    const soon = `now() - interval '1 second'`
    const values = `VALUES ('not a uuid', 'Began Test', ${soon}), (gen_random_uuid()::text, 'Other', ${soon}), ('old', 'Old', now() - interval '60 days')`
    await world.warehouseRows(`INSERT INTO ${portal.schema}.tracks (id, event_text, received_at) ${values}`)
    const compared = await compare(outbox, portal, { from: new Date(Date.now() - 90 * 86_400_000) })
    // Older than messages are kept here, a row says nothing.
    expect(compared).toMatchObject({ confirmed: 2, duplicated: 1, unexpected: 2 })
    expect(compared.days.find(({ event }) => event === 'Other')).toMatchObject({ unexpected: 1 })
    expect(await compare(outbox, portal, { unexpected: false })).toMatchObject({ unexpected: 0 })
  })

  it('takes the message of another source for unexpected', async () => {
    const other = await world.connect(outbox)
    await world.send(outbox, other, ['a'])
    await world.send(outbox, portal, ['b'])
    await load()
    await world.warehouseRows(
      `INSERT INTO ${portal.schema}.tracks (id, event_text, received_at)
       SELECT id, event_text, received_at FROM ${other.schema}.tracks`,
    )
    expect(await compare(outbox, portal)).toMatchObject({ confirmed: 1, unexpected: 1 })
  })

  it('delivers uncertain messages that are found, and sends the absent ones again only when asked', async () => {
    const there = await uncertain('there', true)
    const gone = await uncertain('gone', false)
    await load()
    expect(await compare(outbox, portal)).toMatchObject({
      resolved: 1,
      confirmed: 1,
      absent: 1,
      missing: 0,
      gaps: [],
    })
    expect(await statusOf(there)).toEqual({ status: 'delivered', reason: 'found in the warehouse' })
    expect((await statusOf(gone))?.status).toBe('uncertain')

    expect(await compare(outbox, portal, { resolve: true, by })).toMatchObject({ sentAgain: 1 })
    await outbox.drain()
    await load()
    expect(await statusOf(gone)).toEqual({ status: 'delivered', reason: null })
    expect(await compare(outbox, portal)).toMatchObject({ confirmed: 2, absent: 0 })
  })

  it('calls no uncertain message absent where the warehouse has nothing younger', async () => {
    const gone = await uncertain('gone', false)
    const blind = await compare(outbox, portal, { resolve: true, by })
    expect(blind).toMatchObject({ absent: 0, awaited: 1, sentAgain: 0, loadedThrough: null })
    await world.send(outbox, portal, ['younger'])
    await load()
    await world.warehouseRows(
      `UPDATE ${portal.schema}.tracks SET received_at = received_at - interval '30 hours'`,
    )
    expect(await compare(outbox, portal, { resolve: true, by })).toMatchObject({ absent: 0, sentAgain: 0 })
    await world.warehouseRows(
      `UPDATE ${portal.schema}.tracks SET received_at = received_at + interval '30 hours'`,
    )
    expect(await compare(outbox, portal, { resolve: true, by })).toMatchObject({ absent: 1, sentAgain: 1 })
    expect((await statusOf(gone))?.status).toBe('pending')
    await outbox.drain()
  })

  it('sends missing messages again under their ids, inside the window', async () => {
    world.segment.removeWriteKey(portal.writeKey)
    const ids = await world.send(outbox, portal, ['a', 'b', 'c'])
    world.segment.addWriteKey(portal.writeKey, { source: portal.portalId })
    expect(await compare(outbox, portal, { sendAgain: 'inside-window', by })).toMatchObject({
      missing: 3,
      sentAgain: 3,
    })
    expect(await compare(outbox, portal)).toMatchObject({ missing: 0, confirmed: 0 })
    await outbox.drain()
    await load()
    expect(world.segment.accepted({ writeKey: portal.writeKey }).map(({ messageId }) => messageId)).toEqual(
      ids,
    )
    expect(await compare(outbox, portal)).toMatchObject({ missing: 0, confirmed: 3 })
    const [audit] = await world.rows<{ selection: object }>(
      `SELECT actor, action, messages, selection FROM outbox_audit WHERE selection->>'sourceId' = $1`,
      [portal.source.sourceId],
    )
    expect(audit).toMatchObject({ actor: 'olga', action: 'send again', messages: 3 })
    expect(audit?.selection).toMatchObject({ missingFrom: 'warehouse' })
  })

  it('never sends a missing message again past the window of its first send', async () => {
    world.segment.removeWriteKey(portal.writeKey)
    const [id] = await world.send(outbox, portal, ['a'])
    await outbox.sources.pause(portal.source.sourceId)
    await compare(outbox, portal, { sendAgain: 'inside-window', by })
    expect((await statusOf(id as string))?.status).toBe('pending')
    // It waits behind a paused source until Segment has forgotten its id.
    await world.rows(
      `UPDATE outbox_batch SET first_ambiguous_at = first_ambiguous_at - interval '23 hours' WHERE source_id = $1`,
      [portal.source.sourceId],
    )
    const requests = world.segment.requests().length
    await outbox.sources.resume(portal.source.sourceId)
    await outbox.drain()
    expect(world.segment.requests()).toHaveLength(requests)
    expect(await statusOf(id as string)).toMatchObject({ status: 'uncertain' })
  })

  it('sends what is past the window only by explicit choice', async () => {
    world.segment.removeWriteKey(portal.writeKey)
    const [id] = await world.send(outbox, portal, ['a'])
    world.segment.addWriteKey(portal.writeKey, { source: portal.portalId })
    await world.rows(
      `UPDATE outbox_batch SET first_ambiguous_at = now() - interval '23 hours' WHERE source_id = $1`,
      [portal.source.sourceId],
    )
    const inside = await compare(outbox, portal, { sendAgain: 'inside-window', by })
    expect(inside).toMatchObject({
      missing: 1,
      sentAgain: 0,
      gaps: [expect.objectContaining({ insideWindow: 0 })],
    })
    expect(await compare(outbox, portal, { sendAgain: 'all', by })).toMatchObject({ sentAgain: 1 })
    await outbox.drain()
    await load()
    expect(await statusOf(id as string)).toMatchObject({ status: 'delivered' })
    expect(await compare(outbox, portal)).toMatchObject({ confirmed: 1, missing: 0 })
  })

  it('leaves alone what was erased', async () => {
    world.segment.removeWriteKey(portal.writeKey)
    const [id] = await world.send(outbox, portal, ['a'])
    await world.rows(
      `UPDATE outbox_message SET erased_at = now(), user_id = NULL, body = '{}' WHERE message_id = $1`,
      [id],
    )
    expect(await compare(outbox, portal, { sendAgain: 'all', by })).toMatchObject({
      missing: 1,
      sentAgain: 0,
    })
  })

  it.each([
    ['an unknown option', { portal: 'x' }],
    ['a period that ends before it begins', { from: new Date(2), to: new Date(1) }],
    ['a warehouse without its source', { warehouse: { url: 'postgres://x', schema: 's' } }],
    ['sending again with nobody responsible', { sendAgain: 'all' }],
    ['resolving with nobody responsible', { resolve: true }],
    ['a portal whose warehouse nobody knows', { portalId: 'no-such-portal' }],
  ])('refuses %s', async (_, options) => {
    await expect(outbox.reconcile(options as never)).rejects.toThrow(OperationError)
  })
})
