import fc from 'fast-check'
import type { Outbox } from 'synap-outbox'
import { random } from '../support/scene'
import { createWarehouseScene, type WarehousePortal, type WarehouseScene } from './warehouse-scene'

const HOUR_MS = 3_600_000
const time = { offsetMs: 0 }
const by = { actor: 'property', reason: 'everything is to agree' }
let world: WarehouseScene
let outbox: Outbox

beforeAll(async () => {
  world = await createWarehouseScene({ maxBatchEvents: 5, now: () => Date.now() + time.offsetMs })
  // A batch that this Segment drops for its length is sent again in shorter ones.
  outbox = world.outbox({
    dispatcher: { batchMessages: 10, backoff: { initialMs: 1, maxMs: 5, refusedMs: 5 } },
  })
})
afterAll(() => world.end())

/** What may go wrong behind a 200, and around it. */
const action = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('send' as const), messages: fc.integer({ min: 1, max: 9 }) }),
  },
  fc.record({
    do: fc.constantFrom(
      'revoke key',
      'restore key',
      'wrong region',
      'block',
      'unblock',
      'lose answer',
      'lose request',
      'load',
      'reconcile',
    ),
  }),
)
type Action = { do: string; messages?: number }

async function act(
  { portalId, writeKey, source }: WarehousePortal,
  { do: what, messages = 0 }: Action,
): Promise<void> {
  const again = () =>
    world.rows(`UPDATE source_delivery SET resume_at = '-infinity' WHERE source_id = $1`, [source.sourceId])
  switch (what) {
    case 'send':
      await world.scene.dataSource.transaction((tx) =>
        outbox.record(
          tx,
          Array.from({ length: messages }, (_, i) => ({
            portalId,
            userId: 'u',
            ...(i % 2
              ? { type: 'page' as const, properties: { path: '/' } }
              : {
                  type: 'track' as const,
                  event: 'Began Test' as const,
                  properties: { testId: 't', attemptNumber: 1, attemptId: random() },
                }),
          })),
        ),
      )
      await outbox.drain()
      break
    case 'revoke key':
      world.segment.removeWriteKey(writeKey)
      break
    case 'restore key':
      world.segment.addWriteKey(writeKey, { source: portalId })
      break
    case 'wrong region':
      world.segment.addWriteKey(writeKey, { source: portalId, region: 'eu' })
      break
    case 'block':
      world.segment.blockEvent('Began Test')
      break
    case 'unblock':
      world.segment.unblockEvent('Began Test')
      break
    case 'lose answer':
    case 'lose request': {
      const kind = what === 'lose answer' ? ('reset-after-accept' as const) : ('reset-before-read' as const)
      const lost = world.segment.fault({ kind }, { writeKey })
      await act({ portalId, writeKey, source, schema: '' }, { do: 'send', messages: 2 })
      await lost.clear()
      // The window passes before anybody knows: parked as uncertain.
      await passWindow(source.sourceId)
      await again()
      await outbox.drain()
      break
    }
    case 'load':
      await world.segment.loadWarehouse()
      break
    case 'reconcile':
      await outbox.reconcile({ sourceId: source.sourceId, lagHours: 0 })
      break
  }
}

/** 25 hours go by, here and at Segment. */
async function passWindow(sourceId: string): Promise<void> {
  time.offsetMs += 25 * HOUR_MS
  await world.rows(
    `UPDATE outbox_batch SET first_ambiguous_at = first_ambiguous_at - interval '25 hours' WHERE source_id = $1`,
    [sourceId],
  )
}

describe('after everything was mended and sent again', () => {
  it('the outbox and the warehouse have the same messages, each once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 12 }), async (actions) => {
        const portal = await world.connect(outbox)
        const { sourceId } = portal.source
        for (const each of actions) await act(portal, each)

        world.segment.unblockEvent('Began Test')
        world.segment.addWriteKey(portal.writeKey, { source: portal.portalId })
        await act(portal, { do: 'send', messages: 1 }) // absence proves something only beside what arrived
        await world.segment.loadWarehouse()
        const mending = world.outbox({ dispatcher: { batchMessages: 5 } })
        const mend = async (sendAgain: 'inside-window' | 'all') => {
          await mending.reconcile({ sourceId, lagHours: 0, sendAgain, resolve: true, by })
          await mending.drain()
          await world.segment.loadWarehouse()
        }
        await mend('inside-window')
        // What Protocols blocked has used up its ids for a day.
        await passWindow(sourceId)
        await mend('all')

        const to = new Date(Date.now() + time.offsetMs + HOUR_MS)
        const report = await outbox.reconcile({ sourceId, lagHours: 0, from: new Date(0), to })
        expect(report).toMatchObject({
          agrees: true,
          sources: [{ missing: 0, unexpected: 0, duplicated: 0, absent: 0 }],
        })
        const ours = await world.rows<{ id: string }>(
          `SELECT message_id AS id FROM outbox_message WHERE source_id = $1 AND status = 'delivered' ORDER BY 1`,
          [sourceId],
        )
        const tables = await world.warehouseRows<{ name: string }>(
          `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = $1 AND table_name IN ('tracks', 'pages')`,
          [portal.schema],
        )
        const theirs: string[] = []
        for (const { name } of tables) {
          const rows = await world.warehouseRows<{ id: string }>(
            `SELECT id FROM "${portal.schema}"."${name}"`,
          )
          theirs.push(...rows.map(({ id }) => id))
        }
        expect(theirs.sort()).toEqual(ours.map(({ id }) => id))
        const committed = await world.rows('SELECT FROM outbox_message WHERE source_id = $1', [sourceId])
        expect(ours).toHaveLength(committed.length)
        expect(report.sources[0]?.confirmed).toBe(committed.length)
      }),
      { numRuns: 12, endOnFailure: true },
    )
  }, 240_000)
})
