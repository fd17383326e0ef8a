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
    for (let i = 0; i < 6; i++) await commit(`m${i}`)
    await outbox.drain()
    const [delivery] = await scene.rows<{ mark: string }>(
      'SELECT settled_through_seq AS mark FROM source_delivery',
    )
    const [last] = await scene.rows<{ seq: string }>('SELECT max(seq) AS seq FROM outbox_message')
    expect(Number(delivery?.mark)).toBeGreaterThanOrEqual(Number(last?.seq) - 1)
    expect(Number(delivery?.mark)).toBeLessThanOrEqual(Number(last?.seq))
  })

  it('finds messages below a mark that is wrong, as after a restored backup', async () => {
    await commit('below the mark')
    await scene.rows(`UPDATE source_delivery SET settled_through_seq = 1000000, swept_at = now()`)
    expect(await outbox.drain()).toMatchObject({ delivered: 1 })
  })
})
