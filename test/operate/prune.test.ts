import type { Outbox } from 'synap-outbox'
import { beganTest, type Connected, createScene, type Scene } from '../support/scene'

let scene: Scene
let outbox: Outbox
let portal: Connected

beforeEach(async () => {
  scene = await createScene()
  outbox = scene.outbox({ retention: { chunk: 3 } })
  portal = await scene.connect(outbox)
})
afterEach(() => scene.end())

const record = (n: number) =>
  scene.dataSource.transaction((tx) =>
    outbox.record(
      tx,
      Array.from({ length: n }, () => ({
        type: 'track' as const,
        event: 'Began Test' as const,
        portalId: portal.portalId,
        userId: 'u',
        properties: beganTest(),
      })),
    ),
  )
const age = (days: number) =>
  scene.rows(
    `UPDATE outbox_message SET recorded_at = now() - make_interval(days => $1),
       settled_at = CASE WHEN status = 'pending' THEN NULL ELSE now() - make_interval(days => $1) END`,
    [days],
  )
const statuses = async () => {
  const rows = await scene.rows<{ status: string }>('SELECT status FROM outbox_message ORDER BY status')
  return rows.map((row) => row.status)
}
const end = (status: string, n: number) =>
  scene.rows(
    `UPDATE outbox_message SET status = $1, reason = 'test', settled_at = now()
     WHERE message_id IN (SELECT message_id FROM outbox_message WHERE status = 'delivered' LIMIT $2)`,
    [status, n],
  )

describe('prune', () => {
  it('removes each status after its own retention, in chunks, and never what is pending', async () => {
    await record(10)
    await outbox.drain()
    for (const status of ['dead', 'uncertain', 'discarded']) await end(status, 1)
    await record(2)

    await age(13)
    expect(await outbox.prune()).toEqual({ messages: 0, batches: 0 })
    await age(15)
    expect(await outbox.prune()).toEqual({ messages: 7, batches: 0 })
    await age(31)
    expect(await outbox.prune()).toEqual({ messages: 1, batches: 0 })
    expect(await statuses()).toEqual(['dead', 'pending', 'pending', 'uncertain'])
    await age(3000)
    expect(await outbox.prune()).toEqual({ messages: 2, batches: 0 })
    expect(await statuses()).toEqual(['pending', 'pending'])
  })

  it('removes the history of sends after its retention, and never an open batch', async () => {
    await record(2)
    await outbox.drain()
    await record(1)
    scene.segment.fault({ kind: 'status', status: 500 })
    await outbox.drain()
    await scene.rows(`UPDATE outbox_batch SET created_at = now() - interval '100 days',
                      settled_at = CASE WHEN outcome IS NULL THEN NULL ELSE now() - interval '100 days' END`)
    expect(await outbox.prune()).toEqual({ messages: 0, batches: 1 })
    expect(await scene.rows('SELECT outcome FROM outbox_batch')).toEqual([{ outcome: null }])
  })

  it('can be done by several processes at once', async () => {
    await record(20)
    await outbox.drain()
    await age(100)
    const other = scene.outbox({ dataSource: await scene.database.connect(), retention: { chunk: 3 } })
    const reports = await Promise.all([outbox.prune(), other.prune()])
    expect(reports.reduce((sum, report) => sum + report.messages, 0)).toBe(20)
  })
})
