import type { Outbox, OutboxEvents } from 'synap-outbox'
import { CANARY_USER } from '../../src/reconcile/canary'
import { createWarehouseScene, type WarehousePortal, type WarehouseScene } from './warehouse-scene'

const MINUTES = 5
let world: WarehouseScene
let outbox: Outbox
let portal: WarehousePortal
let lost: OutboxEvents['canaryLost'][]

beforeEach(async () => {
  world = await createWarehouseScene()
  outbox = world.outbox()
  portal = await world.connect(outbox, { canaryMinutes: MINUTES })
  lost = []
})
afterEach(() => world.end())

const warehouse = async () => (await outbox.warehouses.list())[0]
/** The canaries so far have been delivered before the lag allowance. */
const passHours = (hours: number) =>
  world.rows(`UPDATE outbox_message SET settled_at = settled_at - $1 * interval '1 hour'`, [hours])
/** As another process would look, or this one in the next interval. */
const look = () => {
  const process = world.outbox()
  process.on('canaryLost', (event) => lost.push(event))
  return process.checkCanaries()
}
async function sendCanary(): Promise<void> {
  await outbox.checkCanaries()
  await outbox.drain()
}

describe('a canary', () => {
  it('is one identify of a reserved user without traits for each interval, whoever sends it', async () => {
    const reports = await Promise.all([outbox.checkCanaries(), look(), look()])
    expect(reports.reduce((sum, { sent }) => sum + sent, 0)).toBe(1)
    await outbox.drain()
    expect(world.segment.accepted()).toEqual([
      expect.objectContaining({ type: 'identify', userId: CANARY_USER, writeKey: portal.writeKey }),
    ])
    expect(world.segment.accepted()[0]?.message.traits).toEqual({})
  })

  it('is followed to the warehouse once the lag allowance is over', async () => {
    await sendCanary()
    expect(await look()).toMatchObject({ found: 0, lost: 0 })
    await passHours(3)
    await world.segment.loadWarehouse()
    expect(await look()).toMatchObject({ found: 1, lost: 0 })
    expect(await warehouse()).toMatchObject({ canaryLostSince: null, canaryMinutes: MINUTES })
    expect(lost).toEqual([])
  })

  it('tells once that it is lost, and takes it back when one arrives', async () => {
    world.segment.removeWriteKey(portal.writeKey)
    await sendCanary()
    await passHours(3)
    expect(await look()).toMatchObject({ lost: 1 })
    expect(await look()).toMatchObject({ lost: 1 })
    const [{ at } = { at: null }] = await world.rows<{ at: Date }>(
      'SELECT settled_at AS at FROM outbox_message',
    )
    expect(lost).toEqual([{ sourceId: portal.source.sourceId, portalId: portal.portalId, sentAt: at }])
    expect(await warehouse()).toMatchObject({ canaryLostSince: at })

    world.segment.addWriteKey(portal.writeKey, { source: portal.portalId })
    const by = { actor: 'olga', reason: 'the key was revoked' }
    await outbox.reconcile({ lagHours: 0, sendAgain: 'inside-window', by })
    await outbox.drain()
    await passHours(3)
    await world.segment.loadWarehouse()
    expect(await look()).toMatchObject({ found: 1 })
    expect(await warehouse()).toMatchObject({ canaryLostSince: null })
    expect(lost).toHaveLength(1)
  })

  it('is looked for once in an interval', async () => {
    await sendCanary()
    await passHours(3)
    await world.segment.loadWarehouse()
    const other = world.outbox()
    expect(await other.checkCanaries()).toMatchObject({ found: 1 })
    expect(await other.checkCanaries()).toMatchObject({ sent: 0, found: 0, lost: 0 })
  })

  it('is not sent for a source without one, nor for one that is paused or disabled', async () => {
    await world.connect(outbox)
    await outbox.sources.pause(portal.source.sourceId)
    expect(await outbox.checkCanaries()).toEqual({ sent: 0, found: 0, lost: 0 })
    await outbox.sources.disable(portal.source.sourceId)
    expect(await outbox.checkCanaries()).toEqual({ sent: 0, found: 0, lost: 0 })
  })

  it('reports a warehouse that cannot be read, and does not call the canary lost', async () => {
    const other = await world.connect(outbox, { canaryMinutes: MINUTES })
    await sendCanary()
    await passHours(3)
    await world.segment.loadWarehouse()
    await world.rows(`UPDATE segment_warehouse SET url_secret_id = 'lost' WHERE source_id = $1`, [
      portal.source.sourceId,
    ])
    const process = world.outbox()
    const errors: OutboxEvents['error'][] = []
    process.on('error', (error) => errors.push(error))
    expect(await process.checkCanaries()).toMatchObject({ found: 1, lost: 0 })
    expect(errors).toEqual([expect.objectContaining({ during: 'canary' })])
    expect(other.portalId).not.toBe(portal.portalId)
  })
})
