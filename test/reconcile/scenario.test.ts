import type { Gap, Outbox, ReconcileReport } from 'synap-outbox'
import { random } from '../support/scene'
import { createWarehouseScene, type WarehousePortal, type WarehouseScene } from './warehouse-scene'

const HOUR_MS = 3_600_000
const time = { offsetMs: 0 }
let world: WarehouseScene
let outbox: Outbox
let portals: Record<'healthy' | 'key' | 'region' | 'plan' | 'oversize' | 'tail', WarehousePortal>

beforeAll(async () => {
  // A batch of 21 is to this Segment what one of 2,501 is to the real one: no outbox sends that many.
  world = await createWarehouseScene({ maxBatchEvents: 20, now: () => Date.now() + time.offsetMs })
  outbox = world.outbox()
  const connect = () => world.connect(outbox)
  portals = {
    healthy: await connect(),
    key: await connect(),
    region: await connect(),
    plan: await connect(),
    oversize: await connect(),
    tail: await connect(),
  }
})
afterAll(() => world.end())

const attempts = (n: number) => Array.from({ length: n }, () => random())
const gapsOf = (report: ReconcileReport, { portalId }: WarehousePortal): readonly Gap[] =>
  report.sources.find((source) => source.portalId === portalId)?.gaps ?? []
const accepted = ({ writeKey }: WarehousePortal) => world.segment.accepted({ writeKey }).length

async function submit({ portalId }: WarehousePortal): Promise<void> {
  const properties = { testId: 't', attemptNumber: 1, durationSeconds: 60, requiresMarking: false }
  await world.scene.dataSource.transaction((tx) =>
    outbox.track(tx, 'Submitted Test', {
      portalId,
      userId: 'u',
      properties: { ...properties, attemptId: random() },
    }),
  )
}

describe('after the 200', () => {
  it('finds every loss, says why, and mends it', async () => {
    const { healthy, key, region, plan, oversize, tail } = portals
    await world.send(outbox, healthy, attempts(3))

    // The key works for a while, and then somebody revokes it.
    await world.send(outbox, key, attempts(2))
    world.segment.removeWriteKey(key.writeKey)
    await world.send(outbox, key, attempts(4))
    await world.send(outbox, key, attempts(3))

    // The workspace lives in the EU, and the source says us.
    world.segment.addWriteKey(region.writeKey, { region: 'eu', source: region.portalId })
    await world.send(outbox, region, attempts(5))

    world.segment.blockEvent('Submitted Test')
    await submit(plan)
    await submit(plan)
    await world.send(outbox, plan, attempts(4))
    await submit(plan)
    await outbox.drain()

    await world.send(outbox, oversize, attempts(5))
    await world.send(outbox, oversize, attempts(25))
    await world.send(outbox, oversize, attempts(8))
    await world.send(outbox, oversize, attempts(21))
    await world.send(outbox, oversize, attempts(1))

    await world.send(outbox, tail, attempts(2))
    await world.segment.loadWarehouse()
    // All of that was three hours ago; what follows is now.
    await world.rows(
      `UPDATE outbox_batch SET created_at = created_at - interval '3 hours', settled_at = settled_at - interval '3 hours',
              first_ambiguous_at = first_ambiguous_at - interval '3 hours'`,
    )
    await world.send(outbox, tail, attempts(3))

    // Every single message was answered 200.
    expect(await world.rows(`SELECT DISTINCT status FROM outbox_message`)).toEqual([{ status: 'delivered' }])

    const report = await outbox.reconcile()
    expect(report.agrees).toBe(false)
    expect(gapsOf(report, healthy)).toEqual([])
    expect(gapsOf(report, key)).toEqual([
      expect.objectContaining({ cause: 'key-or-region', messages: 7, insideWindow: 7 }),
    ])
    expect(gapsOf(report, region)).toEqual([
      expect.objectContaining({
        cause: 'key-or-region',
        messages: 5,
        explanation: expect.stringContaining('Nothing of the source has arrived at all'),
      }),
    ])
    expect(gapsOf(report, plan)).toEqual([
      expect.objectContaining({ cause: 'plan-block', type: 'track', event: 'Submitted Test', messages: 3 }),
    ])
    expect(gapsOf(report, oversize)).toEqual([
      expect.objectContaining({
        cause: 'oversize-batch',
        messages: 46,
        explanation: expect.stringContaining('more than 8 messages'),
      }),
    ])
    expect(gapsOf(report, tail)).toEqual([expect.objectContaining({ cause: 'not-loaded-yet', messages: 3 })])

    // Each cause is mended, and what is missing is sent again while Segment would drop a double.
    world.segment.addWriteKey(key.writeKey, { source: key.portalId })
    await outbox.sources.saveWriteKey(region.source.sourceId, region.writeKey, { region: 'eu' })
    world.segment.unblockEvent('Submitted Test')
    const mending = world.outbox({ dispatcher: { batchMessages: 20 } })
    const by = { actor: 'olga', reason: 'INC-42' }
    await mending.reconcile({ sendAgain: 'inside-window', by })
    await mending.drain()
    await world.segment.loadWarehouse()
    expect([healthy, key, region, oversize, tail].map(accepted)).toEqual([3, 9, 5, 60, 5])

    // What Protocols blocked has used up its ids: until the window is over, it is dropped as a duplicate.
    const still = await outbox.reconcile({ lagHours: 0 })
    expect(still.sources.flatMap(({ gaps }) => gaps)).toEqual([
      expect.objectContaining({ cause: 'dropped-as-duplicate', messages: 3 }),
    ])
    time.offsetMs = 25 * HOUR_MS
    await world.rows(`UPDATE outbox_batch SET first_ambiguous_at = first_ambiguous_at - interval '25 hours'`)
    await outbox.reconcile({ lagHours: 0, sendAgain: 'all', by })
    await outbox.drain()
    await world.segment.loadWarehouse()
    const to = new Date(Date.now() + 26 * HOUR_MS)
    expect(await outbox.reconcile({ lagHours: 0, to })).toMatchObject({ agrees: true })
  })
})
