import type { Outbox, SourceHealth } from 'synap-outbox'
import { beganTest, type Connected, createScene, type Scene } from '../../support/scene'

let scene: Scene
let outbox: Outbox

beforeEach(async () => {
  scene = await createScene()
  outbox = scene.outbox()
})
afterEach(() => scene.end())

const record = ({ portalId }: Connected, n = 1) =>
  scene.dataSource.transaction((tx) =>
    outbox.record(
      tx,
      Array.from({ length: n }, () => ({
        type: 'track' as const,
        event: 'Began Test' as const,
        portalId,
        userId: 'u',
        properties: beganTest(),
      })),
    ),
  )

describe('overview', () => {
  it('counts what waits and what has ended, and knows how long the oldest has waited', async () => {
    expect(await outbox.inspect.overview()).toMatchObject({ pending: 0, lagMs: null, dispatchers: [] })
    const portal = await scene.connect(outbox)
    const paused = await scene.connect(outbox)
    await record(portal, 3)
    await outbox.drain()
    scene.segment.fault({ kind: 'poison', predicate: () => true }, { times: 1 })
    await record(portal)
    await outbox.drain()
    await record(portal, 2)
    await record(paused)
    await outbox.sources.pause(paused.source.sourceId)
    await scene.rows(
      `UPDATE outbox_message SET recorded_at = now() - interval '1 hour'
      WHERE status = 'pending' AND portal_id = $1`,
      [portal.portalId],
    )
    // What a person holds back is no lag.
    await scene.rows(
      `UPDATE outbox_message SET recorded_at = now() - interval '9 hours' WHERE portal_id = $1`,
      [paused.portalId],
    )
    const overview = await outbox.inspect.overview()
    expect(overview).toMatchObject({
      pending: 3,
      dead: 1,
      uncertain: 0,
      discarded: 0,
      deliveredEstimate: 3,
      sources: { enabled: 1, paused: 1, disabled: 0 },
    })
    expect(Math.round((overview.lagMs as number) / 60_000)).toBe(60)
    expect(overview.at).toBeInstanceOf(Date)
  })

  it('shows who dispatches, from the start to the stop', async () => {
    const other = scene.outbox({ dataSource: await scene.database.connect() })
    await outbox.start()
    await other.start()
    const { dispatchers } = await outbox.inspect.overview()
    expect(dispatchers).toHaveLength(2)
    expect(dispatchers[0]).toMatchObject({ alive: true, intervalMs: 5000, leases: 0 })
    await scene.rows(
      `UPDATE outbox_dispatcher SET last_tick_at = now() - interval '16 seconds'
      WHERE owner = $1`,
      [dispatchers[0]?.owner],
    )
    const later = (await outbox.inspect.overview()).dispatchers
    expect(later.map(({ owner, alive }) => [owner, alive])).toEqual([
      [dispatchers[1]?.owner, true],
      [dispatchers[0]?.owner, false],
    ])
    await other.stop()
    await outbox.stop()
    expect(await outbox.inspect.overview()).toMatchObject({ dispatchers: [] })
  })
})

describe('sources', () => {
  it('come with those in the most trouble first, and say what to do', async () => {
    const connect = (portalId: string) => scene.connect(outbox, { portalId })
    const portals = {
      refused: await connect('refused'),
      failing: await connect('failing'),
      behind: await connect('behind'),
      healthy: await connect('healthy'),
      paused: await connect('paused'),
      disabled: await connect('disabled'),
    }
    const hour = 3_600_000 // longer than this test takes
    const backoff = { initialMs: hour, maxMs: hour, refusedMs: hour }
    const slow = scene.outbox({ dispatcher: { backoff } })
    const rest = () =>
      scene.rows(`UPDATE source_delivery SET resume_at = now() + interval '1 hour' WHERE failures > 0`)
    await record(portals.refused)
    scene.segment.fault({ kind: 'status', status: 401 }, { times: 1 })
    await slow.drain()
    await rest()
    await record(portals.failing)
    scene.segment.fault({ kind: 'status', status: 500 }, { times: 1 })
    await slow.drain()
    await rest()
    for (const portal of [portals.behind, portals.paused, portals.disabled]) await record(portal, 2)
    await scene.rows(`UPDATE outbox_message SET recorded_at = now() - interval '2 minutes'`)
    await record(portals.healthy)
    await outbox.sources.pause(portals.paused.source.sourceId)
    await outbox.sources.disable(portals.disabled.source.sourceId)

    const sources = await outbox.inspect.sources()
    expect(sources.map(({ portalId, health, pending }) => [portalId, health, pending])).toEqual([
      ['refused', 'refused', 1],
      ['failing', 'failing', 1],
      ['behind', 'behind', 2],
      ['healthy', 'healthy', 1],
      ['paused', 'paused', 2],
      ['disabled', 'disabled', 2],
    ])
    const said = Object.fromEntries(sources.map((source) => [source.health, source]))
    expect(said.refused).toMatchObject({
      summary: expect.stringContaining('HTTP 401'),
      remedy: expect.stringContaining('Save a valid write key'),
    })
    expect(said.failing).toMatchObject({ failures: 1, summary: expect.stringContaining('HTTP 500') })
    expect(said.behind).toMatchObject({
      summary: expect.stringMatching(/waited for 2 min.*no dispatcher is running/),
      remedy: expect.stringContaining('outbox.start()'),
    })
    expect(said.healthy).toMatchObject({ remedy: null })
    for (const health of Object.keys(portals) as SourceHealth[]) {
      expect((await outbox.inspect.sources({ health })).map(({ portalId }) => portalId)).toEqual([health])
    }
    expect(await outbox.inspect.sources({ portalId: 'behind', limit: 1 })).toEqual([
      { ...said.behind, lagMs: expect.any(Number) },
    ])
  })

  it('name a write key that Segment does not know, since everything sent with it is lost', async () => {
    await outbox.sources.connect({ portalId: 'p', writeKey: 'nobody-knows-it-1234', insist: true })
    expect(await outbox.inspect.sources()).toEqual([
      expect.objectContaining({
        health: 'refused',
        summary: expect.stringContaining('ending in 1234'),
        remedy: expect.stringContaining('Save the right write key'),
      }),
    ])
  })

  const withWarehouse = async (changes: string) => {
    const portal = await scene.connect(outbox)
    const { sourceId } = portal.source
    const where = { sourceId, url: scene.database.url, schema: 'meridian_production', lagHours: 2 }
    await outbox.warehouses.connect(where)
    await scene.rows(`UPDATE segment_warehouse SET ${changes}`)
    return portal
  }
  const health = async () => (await outbox.inspect.sources())[0]

  it('tell that a canary is lost: what is sent does not arrive', async () => {
    const portal = await withWarehouse(`canary_minutes = 5, canary_lost_since = '2026-11-23 09:00Z'`)
    const lost = {
      health: 'refused',
      warehouse: { schema: 'meridian_production', canaryLostSince: new Date('2026-11-23T09:00:00Z') },
      summary: expect.stringMatching(
        /^The canary that Segment accepted at 2026-11-23 09:00:00 UTC did not reach/,
      ),
      remedy: expect.stringContaining('Check the write key and the region'),
    }
    expect(await health()).toMatchObject(lost)
    expect(await outbox.inspect.sources({ health: 'refused' })).toHaveLength(1)
    await record(portal)
    await outbox.sources.pause(portal.source.sourceId, { actor: 'olga', reason: 'test' })
    expect(await health()).toMatchObject({ health: 'paused', summary: expect.stringContaining('Paused') })
  })

  it('tell what the last comparison with the warehouse missed', async () => {
    await withWarehouse(`missing = 3, reconciled_at = '2026-11-23 09:00Z'`)
    expect(await health()).toMatchObject({
      health: 'healthy',
      summary:
        'Everything is sent. 3 delivered messages were not in the warehouse when they were compared at 2026-11-23 09:00:00 UTC.',
      remedy: expect.stringContaining('Compare again'),
    })
  })

  it.each([
    ['infinity', 'tries again at the end of time'],
    ['-infinity', 'is about to try again'],
  ])('can be read where a hand has set resume_at to %s', async (moment, words) => {
    const portal = await scene.connect(outbox)
    await record(portal)
    scene.segment.fault({ kind: 'status', status: 500 })
    await outbox.drain()
    await scene.rows(`UPDATE source_delivery SET resume_at = $1`, [moment])
    expect(await health()).toMatchObject({ health: 'failing', summary: expect.stringContaining(words) })
    expect((await outbox.inspect.messages()).messages).toHaveLength(1)
    const [{ id }] = (await scene.rows('SELECT message_id AS id FROM outbox_message')) as [{ id: string }]
    expect(await outbox.inspect.message(id)).toMatchObject({ status: 'pending' })
  })

  it('name a secret key that is missing', async () => {
    const portal = await scene.connect(outbox)
    await record(portal)
    await scene.outbox({ secretKeys: `k2:${Buffer.alloc(32, 9).toString('base64')}` }).drain()
    expect(await outbox.inspect.sources()).toEqual([
      expect.objectContaining({ health: 'refused', remedy: expect.stringContaining('OUTBOX_SECRET_KEYS') }),
    ])
  })
})
