import type { Outbox } from 'synap-outbox'
import { Database } from '../../src/database'
import { type Batch, openBatch } from '../../src/dispatch/batch'
import { type Lease, takeLeases } from '../../src/dispatch/lease'
import { LowWaterMark } from '../../src/dispatch/low-water-mark'
import { readAhead } from '../../src/dispatch/next-messages'
import { closeBatch, postponeBatch, splitBatch } from '../../src/dispatch/settle'
import type { Connected } from '../support/scene'
import { createTroubleScene, type TroubleScene } from './support/trouble-scene'

/**
 * A connection that breaks after COMMIT and before its answer: the statement is repeated, and has to do nothing more.
 */
describe('a statement that was committed although its answer was lost, repeated', () => {
  const limits = { leaseMs: 30_000, batchMessages: 250, batchBytes: 450_000 }
  const attempt = { ms: 1, verdict: 'accepted' }
  let scene: TroubleScene
  let db: Database
  let outbox: Outbox
  let portal: Connected
  let lease: Lease
  let batch: Batch

  beforeEach(async () => {
    scene = await createTroubleScene()
    db = new Database(scene.dataSource)
    outbox = scene.outbox()
    portal = await scene.connect(outbox)
    await scene.recordSome(outbox, portal, 4)
    const leases = await takeLeases(db, 'this test', limits.leaseMs, 1)
    lease = leases[0] as Lease
    batch = (await openBatch(db, lease, new LowWaterMark('0'), limits)) as Batch
  })
  afterEach(() => scene.end())

  const everything = () =>
    Promise.all([
      scene.messages(portal),
      scene.rows('SELECT * FROM outbox_batch WHERE source_id = $1 ORDER BY batch_id', [lease.sourceId]),
    ])

  it('delivers once, and counts the same', async () => {
    const end = { outcome: 'delivered', attempt, settledThrough: '0', leaseMs: limits.leaseMs } as const
    const close = () => closeBatch(db, lease, batch, end)
    expect(await close()).toEqual({ settled: 4, more: false, due: false })
    const before = await everything()
    expect(await close()).toEqual({ settled: 4, more: false, due: false })
    expect(await everything()).toEqual(before)
  })

  it('and writes the next batch ahead once: the second time it is one of those that are open', async () => {
    const mark = new LowWaterMark('0')
    const one = { ...limits, batchMessages: 1 }
    await scene.recordSome(outbox, portal, 1)
    const ahead = batch.page && (await readAhead(db, lease, mark, one, batch.page))
    const end = {
      outcome: 'delivered',
      attempt,
      settledThrough: '0',
      leaseMs: limits.leaseMs,
      ahead,
    } as const
    expect(await closeBatch(db, lease, batch, end)).toMatchObject({ more: false, next: { attempts: 0 } })
    const before = await everything()
    expect(await closeBatch(db, lease, batch, end)).toEqual({ settled: 4, more: true, due: false })
    expect(await everything()).toEqual(before)
  })

  it('splits once', async () => {
    const split = () => splitBatch(db, lease, batch, attempt)
    await split()
    const before = await everything()
    await split()
    expect(await everything()).toEqual(before)
    expect(await scene.batches(portal)).toHaveLength(3)
  })

  it('postpones once: the attempt is in the history once, and the window as it was', async () => {
    const postpone = () =>
      postponeBatch(db, lease, batch, { attempt, delayMs: 1000, reason: 'HTTP 500', ambiguous: true })
    await postpone()
    const before = await everything()
    await postpone()
    expect(await everything()).toEqual(before)
  })

  it('takes a lease again that it does not know it has; nobody else does', async () => {
    const take = (owner: string, serving: string[]) => takeLeases(db, owner, limits.leaseMs, 1, serving)
    expect(await take('another', [])).toEqual([])
    expect(await take('this test', [lease.sourceId])).toEqual([])
    expect(await take('this test', [])).toMatchObject([{ sourceId: lease.sourceId, token: '2' }])
  })

  it('and a batch that is open keeps another from being formed beside it', async () => {
    expect(await openBatch(db, lease, new LowWaterMark('0'), limits)).toBeUndefined()
    expect(await scene.batches(portal)).toHaveLength(1)
  })
})
