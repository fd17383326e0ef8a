import type { Outbox } from 'synap-outbox'
import type { QueryRunner } from 'typeorm'
import { Database } from '../../src/database'
import { openBatch } from '../../src/dispatch/batch'
import { type Lease, takeLeases } from '../../src/dispatch/lease'
import { LowWaterMark } from '../../src/dispatch/low-water-mark'
import { closeBatch } from '../../src/dispatch/settle'
import { beganTest, type Connected, createScene, type Scene } from '../support/scene'

/**
 * The low-water mark against the transaction that is hardest to see: it has its id before the read, and that id is the
 * highest of all. `pg_snapshot_xmax` is one past the highest id that has *ended*, so the running one is not below it.
 */
const limits = { leaseMs: 30_000, batchMessages: 1, batchBytes: 450_000 }

let scene: Scene
let outbox: Outbox
let portal: Connected
let db: Database

beforeEach(async () => {
  scene = await createScene()
  outbox = scene.outbox()
  portal = await scene.connect(outbox)
  db = new Database(scene.dataSource)
})
afterEach(() => scene.end())

const begin = async () => {
  const runner = scene.dataSource.createQueryRunner()
  await runner.startTransaction()
  await runner.query('SELECT pg_current_xact_id()') // as a business change before the recording does
  return runner
}
const business = (attemptId: string) =>
  scene.dataSource.transaction((tx) =>
    outbox.track(tx, 'Began Test', {
      portalId: portal.portalId,
      userId: 'u',
      properties: beganTest(attemptId),
    }),
  )
const record = ({ manager }: QueryRunner, attemptId: string) => {
  const { portalId } = portal
  return outbox.track(manager, 'Began Test', { portalId, userId: 'u', properties: beganTest(attemptId) })
}
const commit = async (runner: QueryRunner) => {
  await runner.commitTransaction()
  await runner.release()
}
const sendOne = async (lease: Lease, mark: LowWaterMark) => {
  const batch = await openBatch(db, lease, mark, limits)
  if (!batch) throw new Error('nothing to send')
  const attempt = { verdict: 'accepted', ms: 1 }
  const settledThrough = mark.settled(batch.page?.settledThrough)
  const end = { outcome: 'delivered', attempt, settledThrough, leaseMs: limits.leaseMs } as const
  await closeBatch(db, lease, batch, end)
  const [sent] = batch.messages.map(({ body }) => JSON.parse(body) as { properties: { attemptId: string } })
  return sent?.properties.attemptId
}

it('does not pass the message of a running transaction whose id is the highest of all', async () => {
  const first = await begin()
  await business('zero')
  const [lease] = await takeLeases(db, 'one', limits.leaseMs, 1)
  if (!lease) throw new Error('no lease')
  const mark = new LowWaterMark(lease.readFrom)
  expect(await sendOne(lease, mark)).toBe('zero')

  const slow = await begin() // the highest id there is
  await record(slow, 'slow') // and the lower seq
  await record(first, 'first')
  await commit(first) // the lower id, and the higher seq: the highest id that has ended is below slow's
  const sent = [await sendOne(lease, mark)]
  await business('next')
  sent.push(await sendOne(lease, mark))
  await commit(slow)
  await business('last')
  sent.push(await sendOne(lease, mark), await sendOne(lease, mark))
  expect(sent).toEqual(['first', 'next', 'slow', 'last'])
})
