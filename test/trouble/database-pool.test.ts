import type { Outbox } from 'synap-outbox'
import type { DataSource, QueryRunner } from 'typeorm'
import { beganTest, type Connected } from '../support/scene'
import { createTroubleScene, type TroubleScene } from './support/trouble-scene'

let scene: TroubleScene
let dataSource: DataSource
let outbox: Outbox
let portal: Connected
const held: QueryRunner[] = []

beforeEach(async () => {
  scene = await createTroubleScene()
})
afterEach(async () => {
  await letGo()
  await scene.end()
})

/** An application with a pool of so many connections. */
async function pool(max: number, more: { connectionTimeoutMillis?: number } = {}): Promise<void> {
  dataSource = await scene.database.connect({ extra: { max, ...more } })
  outbox = scene.outbox({ dataSource, dispatcher: { cron: '* * * * * *' } })
  portal = await scene.connect(outbox)
}

/** The application takes so many connections of its pool, each with an open transaction. */
async function take(count: number): Promise<QueryRunner[]> {
  for (let i = 0; i < count; i++) {
    const runner = dataSource.createQueryRunner()
    await runner.startTransaction()
    held.push(runner)
  }
  return held
}

async function letGo(): Promise<void> {
  for (const runner of held.splice(0)) {
    await runner.commitTransaction()
    await runner.release()
  }
}

const track = (runner: QueryRunner | undefined) =>
  outbox.track(runner?.manager as QueryRunner['manager'], 'Began Test', {
    portalId: portal.portalId,
    userId: 'student',
    properties: beganTest(),
  })

describe.each([1, 2])('an application that holds all of its %i connections', (max) => {
  it('records without waiting for one, and is delivered as soon as it lets go', async () => {
    await pool(max)
    await outbox.start()
    const [runner] = await take(max)
    expect(await track(runner)).toMatchObject({ outcome: 'recorded' })
    await letGo()
    await scene.segment.waitFor({ accepted: 1 })
    await outbox.stop()
  })

  it('finds all of them free while a request is out', async () => {
    await pool(max)
    await outbox.start()
    const hold = scene.gate.hold('answer')
    await scene.dataSource.transaction(async (tx) => {
      await scene.outbox().track(tx, 'Began Test', {
        portalId: portal.portalId,
        userId: 'student',
        properties: beganTest(),
      })
    })
    await hold.arrived()
    await take(max) // would wait for ever for a connection that the dispatcher holds
    hold.release()
    await letGo()
    await outbox.stop()
    expect((await scene.messages(portal)).map(({ status }) => status)).toEqual(['delivered'])
    expect(scene.segment.duplicates()).toEqual([])
  })

  it('keeps an answer from being settled, and nothing is sent twice', async () => {
    await pool(max)
    await scene.recordSome(scene.outbox(), portal, 2)
    const hold = scene.gate.hold('answer')
    const draining = outbox.drain()
    await hold.arrived()
    const [runner] = await take(max)
    hold.release()
    await runner?.query('SELECT 1') // the application's own work goes on
    await letGo()
    expect(await draining).toMatchObject({ requests: 1, delivered: 2 })
  })
})

it('a pool that gives up waiting: the failure is reported, and the next look finds what waits', async () => {
  await pool(1, { connectionTimeoutMillis: 1000 })
  const failed = new Promise<string>((resolve) => outbox.on('error', ({ error }) => resolve(String(error))))
  await outbox.start()
  const [runner] = await take(1)
  await track(runner)
  expect(await failed).toContain('timeout')
  await letGo()
  await scene.segment.waitFor({ accepted: 1 })
  await outbox.stop()
})
