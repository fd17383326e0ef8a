import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import type { Outbox, OutboxOptions } from 'synap-outbox'
import { onQuery } from '../support/on-query'
import { type Connected, createScene, type Scene } from '../support/scene'
import { type Gate, openGate } from '../trouble/support/gate'
import { commitAttempts, requestSizes, settled } from './support/traffic'

/**
 * What is committed goes out without the schedule's help; a source that has just sent all it had collects for a moment
 * what comes next.
 */
let scene: Scene
let gate: Gate

beforeEach(async () => {
  scene = await createScene()
  gate = await openGate(scene.segment.url)
})
afterEach(async () => {
  await gate.close()
  await scene.end()
})

/** Longer than any test: what waits for its end goes out only when something else ends it. */
const FOREVER = 10_000

/** Only wake-ups: the schedule must not hide one that is missing. */
const open = (dispatcher: OutboxOptions['dispatcher']) =>
  scene.outbox({ dispatcher: { cron: '0 0 1 1 *', ...dispatcher }, segment: { host: gate.url } })
const commit = (outbox: Outbox, portal: Connected, ...attemptIds: string[]) =>
  commitAttempts(scene, outbox, portal, attemptIds)
const requests = () => requestSizes(scene)

it('sends the first message at once, and what comes while it lingers together', async () => {
  const outbox = open({ lingerMs: FOREVER })
  const portal = await scene.connect(outbox)
  await outbox.start()
  const first = settled(outbox, 1)
  await commit(outbox, portal, 'a')
  await first
  for (const id of ['b', 'c', 'd']) await commit(outbox, portal, id)
  await outbox.drain()
  expect(requests()).toEqual([1, 3])
})

it('is served again afterwards, without the schedule', async () => {
  const outbox = open({ lingerMs: 300 })
  const portal = await scene.connect(outbox)
  await outbox.start()
  const first = settled(outbox, 1)
  await commit(outbox, portal, 'a')
  await first
  const second = settled(outbox, 1)
  await commit(outbox, portal, 'b')
  await second
  expect(requests()).toEqual([1, 1])
})

it('holds up no other source', async () => {
  const outbox = open({ lingerMs: FOREVER })
  const [one, other] = [await scene.connect(outbox), await scene.connect(outbox)]
  await outbox.start()
  const both = settled(outbox, 2)
  await commit(outbox, one, 'a')
  await commit(outbox, other, 'b')
  await both
})

it('holds up nothing where more waits than one request takes', async () => {
  const outbox = open({ lingerMs: FOREVER, batchMessages: 2 })
  const portal = await scene.connect(outbox)
  await outbox.start()
  const all = settled(outbox, 5)
  await commit(outbox, portal, 'a', 'b', 'c', 'd', 'e')
  await all
  expect(requests()).toEqual([2, 2, 1])
})

it('a commit for a source that is being served costs no look, and is not forgotten', async () => {
  const outbox = open({ lingerMs: 0 })
  const portal = await scene.connect(outbox)
  await outbox.start()
  const hold = gate.hold('answer')
  await commit(outbox, portal, 'a')
  await hold.arrived()
  let looks = 0
  onQuery(scene.dataSource, 'outbox_take_leases', async () => looks++)
  const rest = settled(outbox, 4)
  for (const id of ['b', 'c', 'd']) await commit(outbox, portal, id)
  expect(looks).toBe(0)
  hold.release()
  await rest
  expect(requests()).toEqual([1, 3])
})

it.each([0, 1])(
  'a commit right after the last statement of a turn is not forgotten, with %s ms',
  async (lingerMs) => {
    const outbox = open({ lingerMs })
    const portal = await scene.connect(outbox)
    await outbox.start()
    let closed = 0
    onQuery(scene.dataSource, 'outbox_close_batch', async () => {
      if (++closed === 1) await commit(outbox, portal, 'b')
    })
    const both = settled(outbox, 2)
    await commit(outbox, portal, 'a')
    await both
  },
)

it('no source is forgotten where turns end during a look', async () => {
  const outbox = open({ concurrency: 2 })
  const portals = [0, 1, 2, 3, 4, 5].map(() => scene.connect(outbox))
  for (const portal of await Promise.all(portals)) await commit(outbox, portal, 'a')
  const two = settled(outbox, 2)
  let looks = 0
  onQuery(scene.dataSource, 'outbox_take_leases', async () => {
    // The first turn to end looks for one place; the second ends before that look is answered.
    if (++looks !== 2) return
    await two
    await nextTurn()
  })
  expect(await outbox.drain()).toMatchObject({ delivered: 6 })
})

it('nor one that has rested before its turn has ended', async () => {
  const outbox = open({ backoff: { initialMs: 500, maxMs: 500, refusedMs: 500 } })
  const portal = await scene.connect(outbox)
  scene.segment.fault({ kind: 'status', status: 500 }, { times: 1 })
  const rest = new Promise<number>((resolve) => outbox.on('resting', ({ delayMs }) => resolve(delayMs)))
  let releases = 0
  onQuery(scene.dataSource, 'SET lease_owner = NULL', async () => {
    if (++releases === 1) await pause((await rest) + 50)
  })
  await outbox.start()
  const done = settled(outbox, 1)
  await commit(outbox, portal, 'a')
  await done
})

it('moves the low-water mark also where each turn has one batch', async () => {
  const outbox = open({ lingerMs: 0 })
  const portal = await scene.connect(outbox)
  const moved = async () => {
    const [row] = await scene.rows<{ moved: boolean }>(
      `SELECT settled_through_seq >= (SELECT min(seq) FROM outbox_message) AS moved FROM source_delivery WHERE source_id = $1`,
      [portal.source.sourceId],
    )
    return row?.moved
  }
  // A transaction that runs anywhere in the database cluster, as another test's, holds it back for a turn.
  let turns = 0
  do {
    await commit(outbox, portal, `attempt-${turns}`)
    await outbox.drain()
  } while (!(await moved()) && ++turns < 100)
  expect(turns).toBeLessThan(100)
})
