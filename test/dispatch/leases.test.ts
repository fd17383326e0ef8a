import { LeaseLostError, type Outbox } from 'synap-outbox'
import { Database } from '../../src/database'
import { type Batch, openBatch } from '../../src/dispatch/batch'
import { releaseLease, takeLeases } from '../../src/dispatch/lease'
import { LowWaterMark } from '../../src/dispatch/low-water-mark'
import { closeBatch, postponeBatch, splitBatch } from '../../src/dispatch/settle'
import { beganTest, type Connected, createScene, type Scene } from '../support/scene'

const LEASE_MS = 30_000
const limits = { leaseMs: LEASE_MS, batchMessages: 250, batchBytes: 450_000 }

let scene: Scene
let outbox: Outbox
let db: Database

beforeEach(async () => {
  scene = await createScene()
  outbox = scene.outbox()
  db = new Database(scene.dataSource)
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
const lease = async (owner: string, limit = 1) => takeLeases(db, owner, LEASE_MS, limit)
const expire = () => scene.rows(`UPDATE source_delivery SET lease_expires_at = now() - interval '1 second'`)

describe('a lease', () => {
  it('is one dispatcher’s at a time, and another’s once it has expired on the database’s clock', async () => {
    const portal = await scene.connect(outbox)
    await record(portal)
    const [first] = await lease('one')
    expect(first).toMatchObject({ sourceId: portal.source.sourceId, token: '1' })
    expect(await lease('two')).toEqual([])
    await expire()
    const [second] = await lease('two')
    expect(second).toMatchObject({ sourceId: portal.source.sourceId, token: '2' })
  })

  it('is taken once, whoever asks at the same moment', async () => {
    await record(await scene.connect(outbox))
    const taken = await Promise.all(Array.from({ length: 8 }, (_, i) => lease(`dispatcher ${i}`)))
    expect(taken.flat()).toHaveLength(1)
  })

  it('goes to sources that have something to send, the longest-waiting first', async () => {
    const idle = await scene.connect(outbox)
    const pair = [await scene.connect(outbox), await scene.connect(outbox)] as [Connected, Connected]
    // By id it would be the other way round.
    const [late, early] = pair.sort((a, b) => (a.source.sourceId < b.source.sourceId ? -1 : 1))
    await record(late)
    await record(early)
    await scene.rows(`UPDATE source_delivery SET last_turn_at = now() WHERE source_id = $1`, [
      late.source.sourceId,
    ])
    await scene.rows(
      `UPDATE source_delivery SET last_turn_at = now() - interval '1 minute' WHERE source_id = $1`,
      [early.source.sourceId],
    )
    expect((await lease('one', 10)).map(({ sourceId }) => sourceId)).toEqual([
      early.source.sourceId,
      late.source.sourceId,
    ])
    expect(idle.source.status).toBe('enabled')
  })

  it.each(['paused', 'disabled'])('is not taken for a source that is %s', async (status) => {
    const portal = await scene.connect(outbox)
    await record(portal)
    await scene.rows('UPDATE segment_source SET status = $1', [status])
    expect(await lease('one')).toEqual([])
  })

  it('is not taken for a source that rests', async () => {
    await record(await scene.connect(outbox))
    await scene.rows(`UPDATE source_delivery SET resume_at = now() + interval '1 hour'`)
    expect(await lease('one')).toEqual([])
    await scene.rows(`UPDATE source_delivery SET resume_at = now()`)
    expect(await lease('one')).toHaveLength(1)
  })

  it('tells on release that another process has committed meanwhile', async () => {
    const portal = await scene.connect(outbox)
    await record(portal)
    const [held] = await lease('one')
    if (!held) throw new Error('no lease')
    expect(await releaseLease(db, held)).toBe(true)
    const [again] = await lease('one')
    if (!again) throw new Error('no lease')
    await scene.rows(`UPDATE outbox_message SET status = 'discarded', reason = 'test', settled_at = now()`)
    expect(await releaseLease(db, again)).toBe(false)
  })
})

describe('with the statement that settles the last batch', () => {
  const close = async (meanwhile: (portal: Connected) => Promise<unknown>) => {
    const portal = await scene.connect(outbox)
    await record(portal)
    const [held] = await lease('one')
    if (!held) throw new Error('no lease')
    const batch = await openBatch(db, held, new LowWaterMark('0'), limits)
    if (!batch) throw new Error('no batch')
    await meanwhile(portal)
    const attempt = { verdict: 'accepted', ms: 1 }
    const end = {
      outcome: 'delivered',
      attempt,
      settledThrough: '0',
      leaseMs: 30_000,
      release: true,
    } as const
    return { portal, closed: await closeBatch(db, held, batch, end) }
  }

  it('is given back: the next is anybody’s at once', async () => {
    const { portal, closed } = await close(async () => {})
    expect(closed).toMatchObject({ settled: 1, due: false })
    await record(portal)
    expect(await lease('two')).toMatchObject([{ token: '2', hasOpenBatch: false }])
  })

  it('and what was committed since the read is told of', async () => {
    const { closed } = await close(record)
    expect(closed).toMatchObject({ settled: 1, due: true })
  })

  it('needs no statement of its own: three take a message all the way', async () => {
    const portal = await scene.connect(outbox)
    await record(portal)
    const query = jest.spyOn(scene.dataSource, 'query')
    expect(await outbox.drain()).toMatchObject({ delivered: 1 })
    const statements = query.mock.calls.map(([sql]) => sql)
    query.mockRestore()
    expect(statements.filter((sql) => !sql.includes('outbox_take_leases'))).toHaveLength(2)
  })
})

describe('the fencing token', () => {
  const attempt = { verdict: 'accepted', ms: 1 }
  const end = { outcome: 'delivered', attempt, settledThrough: '0', leaseMs: 30_000 } as const

  it.each([
    ['form a batch', (held, _batch) => openBatch(db, held, new LowWaterMark('0'), limits)],
    ['close a batch', (held, batch) => closeBatch(db, held, batch, end)],
    ['split a batch', (held, batch) => splitBatch(db, held, batch, attempt)],
    [
      'postpone a batch',
      (held, batch) => postponeBatch(db, held, batch, { attempt, delayMs: 1, reason: 'r', ambiguous: true }),
    ],
  ] as [string, (held: Awaited<ReturnType<typeof lease>>[0], batch: Batch) => Promise<unknown>][])(
    'keeps a process that lost its lease from being able to %s',
    async (_, act) => {
      await record(await scene.connect(outbox), 4)
      const [zombie] = await lease('zombie')
      if (!zombie) throw new Error('no lease')
      const batch = await openBatch(db, zombie, new LowWaterMark('0'), limits)
      if (!batch) throw new Error('no batch')
      await expire()
      await lease('successor')
      const before = await everything()
      await expect(act(zombie, batch)).rejects.toThrow(LeaseLostError)
      expect(await everything()).toEqual(before)
    },
  )

  const everything = async () => [
    await scene.rows('SELECT * FROM outbox_message ORDER BY seq'),
    await scene.rows('SELECT * FROM outbox_batch ORDER BY batch_id'),
    await scene.rows('SELECT * FROM source_delivery ORDER BY source_id'),
  ]
})
