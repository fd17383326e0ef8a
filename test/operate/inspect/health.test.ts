import type { Outbox } from 'synap-outbox'
import { beganTest, createScene, type Scene } from '../../support/scene'

let scene: Scene
let outbox: Outbox

beforeEach(async () => {
  scene = await createScene()
  outbox = scene.outbox()
})
afterEach(() => scene.end())

const record = async () => {
  const { portalId } = await scene.connect(outbox)
  await scene.dataSource.transaction((tx) =>
    outbox.track(tx, 'Began Test', { portalId, userId: 'u', properties: beganTest() }),
  )
}

describe('health', () => {
  it('is ok, knows whether this process dispatches, and asks for attention when messages are late', async () => {
    expect(await outbox.inspect.health()).toEqual({
      status: 'ok',
      problems: [],
      pending: 0,
      lagMs: null,
      dispatching: false,
      lastTickAt: null,
    })
    await record()
    await scene.rows(`UPDATE outbox_message SET recorded_at = now() - interval '10 minutes'`)
    expect(await outbox.inspect.health()).toMatchObject({
      status: 'attention',
      problems: ['the oldest pending message has waited for 10 min'],
      pending: 1,
    })
    await outbox.start()
    expect(await outbox.inspect.health()).toMatchObject({ dispatching: true, lastTickAt: expect.any(Date) })
    await outbox.stop()
  })

  it('never throws: a database that is away is unavailable, and nothing of its address is told', async () => {
    const dataSource = await scene.database.connect()
    const away = scene.outbox({ dataSource })
    await dataSource.destroy()
    expect(await away.inspect.health()).toMatchObject({ status: 'unavailable', pending: null })
  })

  it('does not wait for a database that does not answer', async () => {
    const locker = scene.dataSource.createQueryRunner()
    await locker.startTransaction()
    await locker.query('LOCK TABLE outbox_message IN ACCESS EXCLUSIVE MODE')
    const health = await outbox.inspect.health()
    expect(health).toMatchObject({
      status: 'unavailable',
      problems: ['the database does not answer (it is slow or not connected)'],
    })
    await locker.rollbackTransaction()
    await locker.release()
  })
})

describe('the heartbeat', () => {
  it('disturbs nothing where it fails, and is reported once', async () => {
    await record()
    await scene.rows('DROP TABLE outbox_dispatcher')
    const errors: string[] = []
    outbox.on('error', ({ during }) => errors.push(during))
    await outbox.start()
    await outbox.drain()
    await outbox.stop()
    expect(errors).toEqual(['heartbeat'])
    expect(scene.segment.accepted()).toHaveLength(1)
  })

  it('goes after a day, where its process died without a word', async () => {
    await scene.rows(
      `INSERT INTO outbox_dispatcher (owner, interval_ms, version, last_tick_at)
       VALUES ('dead', 5000, '1', now() - interval '25 hours'), ('silent', 5000, '1', now() - interval '23 hours')`,
    )
    await outbox.start()
    await outbox.stop()
    expect(await scene.rows('SELECT owner FROM outbox_dispatcher')).toEqual([{ owner: 'silent' }])
  })

  it('is only of a process that was started', async () => {
    await record()
    await outbox.drain()
    expect(await scene.rows('SELECT FROM outbox_dispatcher')).toEqual([])
  })
})

describe('activity', () => {
  it('is counted in the span that it happened in', async () => {
    await record()
    scene.segment.fault({ kind: 'status', status: 500 }, { times: 1 })
    await outbox.drain()
    await record()
    await scene.rows(`UPDATE source_delivery SET resume_at = '-infinity'`)
    await outbox.drain()
    const to = new Date(Date.now() + 1000)
    const points = await outbox.inspect.activity({ from: new Date(to.getTime() - 3_600_000), to, points: 2 })
    expect(points).toHaveLength(2)
    expect(points[0]).toMatchObject({ delivered: 0, requests: 0, p50Ms: null })
    expect(points[1]).toMatchObject({ delivered: 2, dead: 0, requests: 3, failedRequests: 1 })
    expect(points[1]?.p95Ms).toBeGreaterThanOrEqual(points[1]?.p50Ms as number)
    expect(points[0]?.at).toEqual(new Date(to.getTime() - 3_600_000))
    await expect(outbox.inspect.activity({ from: to, to })).rejects.toThrow('not before')
  })
})
