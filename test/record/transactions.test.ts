import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type Outbox, TransactionLostError } from 'synap-outbox'
import type { QueryRunner } from 'typeorm'
import type { Step } from '../../src/steps'
import { beganTest, type Connected, createScene, type Scene } from '../support/scene'

let scene: Scene
let outbox: Outbox
let portal: Connected

beforeAll(async () => {
  scene = await createScene()
  // Only wake-ups: the schedule must not hide one that is missing.
  outbox = scene.outbox({ dispatcher: { cron: '0 0 1 1 *' } })
  portal = await scene.connect(outbox)
})
afterAll(() => scene.end())

const call = () => ({ portalId: portal.portalId, userId: 'u', properties: beganTest() })
const exists = async (messageId: string | undefined) =>
  (await scene.rows('SELECT 1 FROM outbox_message WHERE message_id = $1', [messageId])).length === 1

describe('recorded exactly when committed', () => {
  it('with a nested transaction that rolls back to its savepoint', async () => {
    const ids = await scene.dataSource.transaction(async (tx) => {
      const outer = await outbox.track(tx, 'Began Test', call())
      let inner: { messageId?: string } = {}
      await tx
        .transaction(async (nested) => {
          inner = await outbox.track(nested, 'Began Test', call())
          throw new Error('only the inner one')
        })
        .catch(() => undefined)
      const after = await outbox.track(tx, 'Began Test', call())
      return [outer.messageId, inner.messageId, after.messageId]
    })
    expect(await Promise.all(ids.map(exists))).toEqual([true, false, true])
  })

  it('with a nested transaction that commits inside one that rolls back', async () => {
    let inner: { messageId?: string } = {}
    await scene.dataSource
      .transaction(async (tx) => {
        await tx.transaction(async (nested) => {
          inner = await outbox.track(nested, 'Began Test', call())
        })
        throw new Error('all of it')
      })
      .catch(() => undefined)
    expect(await exists(inner.messageId)).toBe(false)
  })

  it.each(['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'] as const)('under %s', async (isolation) => {
    const result = await scene.dataSource.transaction(isolation, (tx) =>
      outbox.track(tx, 'Began Test', call()),
    )
    expect(await exists(result.messageId)).toBe(true)
  })

  it('when COMMIT itself fails', async () => {
    await scene.dataSource.query(
      `CREATE TABLE exam_seat (id int PRIMARY KEY, taken_by int REFERENCES exam_seat DEFERRABLE INITIALLY DEFERRED)`,
    )
    let recorded: { messageId?: string } = {}
    const transaction = scene.dataSource.transaction(async (tx) => {
      recorded = await outbox.track(tx, 'Began Test', call())
      await tx.query('INSERT INTO exam_seat VALUES (1, 99)')
    })
    await expect(transaction).rejects.toThrow(/foreign key/)
    expect(await exists(recorded.messageId)).toBe(false)
    const again = await scene.dataSource.transaction((tx) => outbox.track(tx, 'Began Test', call()))
    expect(await exists(again.messageId)).toBe(true)
  })

  it('when the connection is lost, which is told from misuse', async () => {
    let earlier: { messageId?: string } = {}
    const transaction = scene.dataSource.transaction(async (tx) => {
      earlier = await outbox.track(tx, 'Began Test', call())
      const client = await (tx.queryRunner as QueryRunner).connect()
      const lost = new Promise((resolve) => client.once('end', resolve))
      const [{ pid }] = await tx.query('SELECT pg_backend_pid() AS pid')
      await scene.rows('SELECT pg_terminate_backend($1)', [pid])
      await lost
      await outbox.track(tx, 'Began Test', call())
    })
    await expect(transaction).rejects.toThrow(TransactionLostError)
    expect(await exists(earlier.messageId)).toBe(false)
  })
})

describe('the wake-up', () => {
  let looks = 0
  const countLooks = (message: unknown) => {
    if ((message as { step: Step }).step === 'lease:before') looks++
  }
  beforeAll(() => subscribe('synap-outbox:step', countLooks))
  afterAll(() => unsubscribe('synap-outbox:step', countLooks))

  /** Started, and at rest: a look from here on was asked for, and begins in the same breath as it is. */
  const start = async () => {
    await outbox.start()
    await outbox.drain()
    looks = 0
  }

  it('comes once, after the outermost commit, and not for a savepoint', async () => {
    await start()
    const posts = () => scene.segment.requests().filter((request) => request.method === 'POST').length
    const [before, accepted] = [posts(), scene.segment.accepted().length]
    await scene.dataSource.transaction(async (tx) => {
      await tx.transaction(async (nested) => {
        await outbox.track(nested, 'Began Test', call())
        await outbox.track(nested, 'Began Test', call())
      })
      expect(looks).toBe(0)
    })
    await scene.segment.waitFor({ accepted: accepted + 2 }, { timeoutMs: 5000 })
    await outbox.stop()
    expect(posts() - before).toBe(1)
  })

  it('comes when the commit is done, not when it begins', async () => {
    await start()
    const accepted = scene.segment.accepted().length
    let early: number | undefined
    const commit = {
      beforeTransactionCommit() {
        early = looks
      },
    }
    scene.dataSource.subscribers.push(commit)
    await scene.dataSource.transaction((tx) => outbox.track(tx, 'Began Test', call()))
    scene.dataSource.subscribers.splice(scene.dataSource.subscribers.indexOf(commit), 1)
    await scene.segment.waitFor({ accepted: accepted + 1 }, { timeoutMs: 5000 })
    await outbox.stop()
    expect(early).toBe(0)
  })

  it('runs outside the request that committed', async () => {
    const storage = new AsyncLocalStorage<string>()
    const seen: (string | undefined)[] = []
    outbox.on('attempt', () => seen.push(storage.getStore()))
    await outbox.start()
    await storage.run('a student’s request', () =>
      scene.dataSource.transaction((tx) => outbox.track(tx, 'Began Test', call())),
    )
    await scene.segment.waitFor({ accepted: scene.segment.accepted().length + 1 }).catch(() => undefined)
    await outbox.stop()
    expect(seen.length).toBeGreaterThan(0)
    expect(seen).toEqual(seen.map(() => undefined))
  })

  it('throws nothing into the caller when the dispatcher cannot reach its tables', async () => {
    await outbox.start()
    const errors: unknown[] = []
    outbox.on('error', ({ error }) => errors.push(error))
    await scene.dataSource.query('ALTER TABLE source_delivery RENAME TO source_delivery_away')
    const result = await scene.dataSource.transaction((tx) => outbox.track(tx, 'Began Test', call()))
    await outbox.stop()
    await scene.dataSource.query('ALTER TABLE source_delivery_away RENAME TO source_delivery')
    expect(await exists(result.messageId)).toBe(true)
    expect(errors.length).toBeGreaterThan(0)
    expect((await outbox.drain()).delivered).toBeGreaterThan(0)
  })
})
