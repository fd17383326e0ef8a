import type { Outbox } from 'synap-outbox'
import type { EntityManager } from 'typeorm'
import { beganTest, type Connected, createScene, type Scene } from '../support/scene'

let scene: Scene
let outbox: Outbox
let portal: Connected

beforeEach(async () => {
  scene = await createScene()
  outbox = scene.outbox({ dispatcher: { batchMessages: 1 } })
  portal = await scene.connect(outbox)
})
afterEach(() => scene.end())

const track = (tx: EntityManager, attemptId: string) =>
  outbox.track(tx, 'Began Test', { portalId: portal.portalId, userId: 'u', properties: beganTest(attemptId) })
const commit = (attemptId: string) => scene.dataSource.transaction((tx) => track(tx, attemptId))
const arrived = () =>
  scene.segment
    .accepted()
    .map(({ message }) => (message as { properties?: { attemptId: string } }).properties?.attemptId)

describe('a source’s messages go out in the order of their seq', () => {
  it('over many batches', async () => {
    for (let i = 0; i < 7; i++) await commit(`a${i}`)
    expect(await outbox.drain()).toMatchObject({ requests: 7, delivered: 7 })
    expect(arrived()).toEqual(['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6'])
  })

  it('a message that was recorded first and committed last is never missed, and goes before later transactions', async () => {
    const slow = scene.dataSource.createQueryRunner()
    await slow.startTransaction()
    await track(slow.manager, 'recorded first')
    for (let i = 0; i < 5; i++) await commit(`meanwhile ${i}`)
    await outbox.drain() // the low-water mark may not pass the message that nobody can see yet
    expect(arrived()).toHaveLength(5)

    await slow.commitTransaction()
    await slow.release()
    await commit('after it')
    await outbox.drain()
    expect(arrived().slice(5)).toEqual(['recorded first', 'after it'])
  })

  it('a seq is never drawn before its transaction has an id', async () => {
    // Recording is the first write here: the id has to be taken by the recording statement itself.
    const slow = scene.dataSource.createQueryRunner()
    await slow.startTransaction()
    await slow.query('SELECT 1')
    await track(slow.manager, 'first write of its transaction')
    const [row] = await slow.query('SELECT pg_current_xact_id_if_assigned() IS NOT NULL AS assigned')
    expect(row.assigned).toBe(true)
    await slow.rollbackTransaction()
    await slow.release()
  })

  it('moves the low-water mark past what is settled, so that it need not be read again', async () => {
    const value = async (sql: string) => Number((await scene.rows<{ value: string }>(sql))[0]?.value)
    // Transaction ids are the whole server's: other tests' open transactions hold the mark back while they last.
    for (let tries = 0; tries < 100; tries++) {
      for (let i = 0; i < 4; i++) await commit(`m${tries}-${i}`)
      await outbox.drain() // four batches: the mark follows one or two behind
      const mark = await value('SELECT settled_through_seq AS value FROM source_delivery')
      expect(mark).toBeLessThanOrEqual(await value('SELECT max(seq) AS value FROM outbox_message'))
      if (mark > 0) return
    }
    throw new Error('the mark never moved')
  })

  it('finds messages below a mark that is wrong, as after a restored backup', async () => {
    await commit('below the mark')
    await scene.rows(`UPDATE source_delivery SET settled_through_seq = 1000000, swept_at = now()`)
    expect(await outbox.drain()).toMatchObject({ delivered: 1 })
  })
})
