import type { Outbox } from 'synap-outbox'
import { beganTest, type Connected, createScene, type Scene } from '../../support/scene'

let scene: Scene
let outbox: Outbox
let portal: Connected

beforeEach(async () => {
  scene = await createScene()
  outbox = scene.outbox()
  portal = await scene.connect(outbox)
})
afterEach(() => scene.end())

const HOUR_MS = 3_600_000
const record = () =>
  scene.dataSource.transaction((tx) =>
    outbox.track(tx, 'Began Test', { portalId: portal.portalId, userId: 'u', properties: beganTest() }),
  )
/** A process's first minute: it samples when it starts, and is not stopped before it has. */
const startAndStop = async (process = outbox) => {
  await process.start()
  await process.stop()
}
const samples = () =>
  scene.rows<{ age: number; pending: number; lag: number }>(
    `SELECT extract(epoch FROM date_trunc('minute', now()) - at)::int / 60 AS age, pending,
            round(lag_ms / 60000.0)::int AS lag FROM outbox_sample ORDER BY at`,
  )
/** The rest of the hour until now, and the hour before, as the plots would ask. */
const twoHours = (sourceId?: string) => {
  const to = new Date(Date.now() + 1000)
  const from = new Date(to.getTime() - 2 * HOUR_MS)
  return outbox.inspect.activity({ from, to, points: 2, sourceId })
}

describe('the history of backlog and lag', () => {
  it('is begun by a process that starts to dispatch, and by no other', async () => {
    await record()
    await outbox.drain()
    expect(await samples()).toEqual([])
    await startAndStop()
    expect(await samples()).toHaveLength(1)
  })

  it('has what waited, and for how long; what a person holds back is no lag', async () => {
    for (let i = 0; i < 3; i++) await record()
    await scene.rows(`UPDATE outbox_message SET recorded_at = now() - interval '7 minutes'`)
    await scene.rows(`UPDATE source_delivery SET resume_at = now() + interval '1 hour'`)
    await startAndStop()
    expect(await samples()).toMatchObject([{ pending: 3, lag: 7 }])

    await scene.rows('DELETE FROM outbox_sample')
    await outbox.sources.pause(portal.source.sourceId)
    await startAndStop()
    expect(await samples()).toMatchObject([{ pending: 3, lag: 0 }])
  })

  it('has one sample a minute, however many processes dispatch', async () => {
    const others = [await scene.database.connect(), await scene.database.connect()]
    const processes = [outbox, ...others.map((dataSource) => scene.outbox({ dataSource }))]
    const [{ at: before } = {}] = await scene.rows(`SELECT date_trunc('minute', now()) AS at`)
    await Promise.all(processes.map(startAndStop))
    await Promise.all(processes.map(startAndStop))
    const [{ at: after } = {}] = await scene.rows(`SELECT date_trunc('minute', now()) AS at`)
    const minutes = (Number(after) - Number(before)) / 60_000 + 1
    expect((await samples()).length).toBeLessThanOrEqual(minutes)

    await scene.rows(`UPDATE outbox_sample SET at = at - interval '1 hour'`) // as an hour later
    const earlier = (await samples()).length
    await startAndStop()
    expect(await samples()).toHaveLength(earlier + 1)
  })

  it('leaves a minute to whoever was first, and takes that for no failure', async () => {
    const errors: unknown[] = []
    outbox.on('error', (error) => errors.push(error))
    const first = scene.dataSource.createQueryRunner()
    await first.startTransaction()
    await first.query(
      `INSERT INTO outbox_sample (at, pending, lag_ms)
       SELECT date_trunc('minute', now()) + n * interval '1 minute', 77, 0 FROM generate_series(0, 1) n`,
    )
    await outbox.start()
    const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
    for (const deadline = Date.now() + 10_000; (await scene.rows(waiting)).length === 0; ) {
      if (Date.now() > deadline) throw new Error('The sample was taken without waiting for the first.')
    }
    await first.commitTransaction()
    await first.release()
    await outbox.stop()
    expect(errors).toEqual([])
    expect(await samples()).toMatchObject([{ pending: 77 }, { pending: 77 }])
  })

  it('shows the worst of each span, and nothing where nobody looked or for one source', async () => {
    expect(await twoHours()).toMatchObject([
      { backlog: null, lagMs: null },
      { backlog: null, lagMs: null },
    ])
    await scene.rows(
      `INSERT INTO outbox_sample (at, pending, lag_ms)
       VALUES (now() - interval '50 minutes', 40, 9000), (now() - interval '20 minutes', 7, 5000000000)`,
    )
    expect(await twoHours()).toMatchObject([
      { backlog: null, lagMs: null },
      { backlog: 40, lagMs: 5_000_000_000 },
    ])
    expect(await twoHours(portal.source.sourceId)).toMatchObject([{ backlog: null }, { lagMs: null }])
  })

  it('goes back eight days', async () => {
    await scene.rows(
      `INSERT INTO outbox_sample (at, pending, lag_ms)
       SELECT date_trunc('minute', now()) - days * interval '1 day', 0, 0 FROM unnest(ARRAY[7, 9, 400]) days`,
    )
    await startAndStop()
    expect((await samples()).map(({ age }) => Math.floor(age / 1440))).toEqual([7, 0])
  })

  it('disturbs nothing where it fails, and is reported once', async () => {
    await record()
    await scene.rows('DROP TABLE outbox_sample')
    const errors: string[] = []
    outbox.on('error', ({ during }) => errors.push(during))
    await startAndStop()
    await startAndStop()
    await outbox.drain()
    expect(errors).toEqual(['sample'])
    expect(scene.segment.accepted()).toHaveLength(1)
  })
})
