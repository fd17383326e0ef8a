import { createOutbox, NoTransactionError, type Outbox } from 'synap-outbox'
import type { DataSource } from 'typeorm'
import {
  addTransactionalDataSource,
  deleteDataSourceByName,
  initializeTransactionalContext,
  Propagation,
  runInTransaction,
} from 'typeorm-transactional'
import { beganTest, type Connected, createScene, type Scene } from '../support/scene'

let scene: Scene
let dataSource: DataSource
let outbox: Outbox
let portal: Connected

beforeAll(async () => {
  initializeTransactionalContext()
  scene = await createScene()
  dataSource = addTransactionalDataSource(await scene.database.connect())
  // Through the decorated DataSource, as an application that uses the library would.
  outbox = scene.outbox({ dataSource })
  portal = await scene.connect(outbox)
})
afterAll(async () => {
  deleteDataSourceByName('default')
  await scene.end()
})

const track = () =>
  outbox.track(dataSource.manager, 'Began Test', {
    portalId: portal.portalId,
    userId: 'u',
    properties: beganTest(),
  })
const exists = async (messageId: string | undefined) =>
  (await scene.rows('SELECT 1 FROM outbox_message WHERE message_id = $1', [messageId])).length === 1

describe('with typeorm-transactional, whose manager is that of the surrounding transaction', () => {
  it('records exactly when that transaction commits', async () => {
    const committed = await runInTransaction(track)
    let rolledBack: string | undefined
    await runInTransaction(async () => {
      rolledBack = (await track()).messageId
      throw new Error('no exam')
    }).catch(() => undefined)
    expect([await exists(committed.messageId), await exists(rolledBack)]).toEqual([true, false])
  })

  it('follows its nested and independent transactions', async () => {
    const ids: (string | undefined)[] = []
    await runInTransaction(async () => {
      ids.push((await track()).messageId)
      await runInTransaction(
        async () => {
          ids.push((await track()).messageId)
          throw new Error('only the nested one')
        },
        { propagation: Propagation.NESTED },
      ).catch(() => undefined)
      await runInTransaction(async () => void ids.push((await track()).messageId), {
        propagation: Propagation.REQUIRES_NEW,
      })
      throw new Error('and then the outer one')
    }).catch(() => undefined)
    expect(await Promise.all(ids.map(exists))).toEqual([false, false, true])
  })

  it('refuses to record outside of any', async () => {
    await expect(track()).rejects.toThrow(NoTransactionError)
  })
})

describe('an outbox that was made before the DataSource was handed to the library', () => {
  it('works the same', async () => {
    const early = createOutbox({ dataSource, secretKeys: `k1:${Buffer.alloc(32, 7).toString('base64')}` })
    const result = await runInTransaction(() =>
      early.track(dataSource.manager, 'Began Test', {
        portalId: portal.portalId,
        userId: 'u',
        properties: beganTest(),
      }),
    )
    expect(result.outcome).toBe('recorded')
  })
})
