import type { Outbox } from 'synap-outbox'
import { onQuery } from '../support/on-query'
import { beganTest, type Connected, createScene, type Scene } from '../support/scene'
import { type Gate, openGate } from '../trouble/support/gate'

/** While a request is out, the batch after it is read and laid out; the statement that settles writes it ahead. */
let scene: Scene
let gate: Gate
let outbox: Outbox
let portal: Connected
let readAhead: Promise<void>

beforeEach(async () => {
  scene = await createScene()
  gate = await openGate(scene.segment.url)
  outbox = scene.outbox({
    segment: { host: gate.url, timeoutMs: 5000 },
    dispatcher: { batchMessages: 2, backoff: { initialMs: 1, maxMs: 5, refusedMs: 5 } },
  })
  portal = await scene.connect(outbox)
  readAhead = nextReadAhead()
})
afterEach(async () => {
  await gate.close()
  await scene.end()
})

const commit = async (...attemptIds: string[]) => {
  for (const id of attemptIds) await scene.dataSource.transaction((tx) => track(tx, id))
}
const track = (tx: Parameters<Outbox['track']>[0], attemptId: string) =>
  outbox.track(tx, 'Began Test', { portalId: portal.portalId, userId: 'u', properties: beganTest(attemptId) })

/** What arrived, request by request. */
const arrived = () => {
  const attempts = new Map(
    scene.segment.accepted().map(({ messageId, message }) => {
      const { properties } = message as { properties?: { attemptId: string } }
      return [messageId, properties?.attemptId]
    }),
  )
  return scene.segment
    .requests()
    .filter(({ method }) => method === 'POST')
    .map(({ messageIds }) => messageIds.map((id) => attempts.get(id)).join(' '))
}
const batches = () =>
  scene.rows<{ n: number; outcome: string | null; out: boolean; attempts: number }>(
    `SELECT cardinality(message_ids) AS n, outcome, attempt_started_at IS NOT NULL AS out, attempt_count AS attempts
     FROM outbox_batch ORDER BY first_seq, batch_id`,
  )

/** Resolves when the dispatcher has read ahead; the request before it is still out then. */
function nextReadAhead(): Promise<void> {
  return new Promise((resolve) => onQuery(scene.dataSource, 'outbox_read_ahead', resolve))
}

/** Drains, and does something while the first request is out and the second batch is read. */
async function meanwhile(act: () => Promise<unknown>) {
  const hold = gate.hold('answer')
  const drained = outbox.drain()
  await hold.arrived()
  await readAhead
  await act()
  hold.release()
  return drained
}

it('is written ahead by the statement that settles the batch before it, and sent at once', async () => {
  await commit('a', 'b', 'c', 'd', 'e')
  const first = gate.hold('answer')
  const drained = outbox.drain()
  await first.arrived()
  await readAhead
  expect(await batches()).toEqual([{ n: 2, outcome: null, out: true, attempts: 0 }])

  const second = gate.hold('request')
  first.release()
  await second.arrived()
  expect(await batches()).toEqual([
    { n: 2, outcome: 'delivered', out: false, attempts: 1 },
    { n: 2, outcome: null, out: true, attempts: 0 },
  ])
  second.release()
  expect(await drained).toMatchObject({ requests: 3, delivered: 5 })
  expect(arrived()).toEqual(['a b', 'c d', 'e'])
})

it('leaves out what is discarded meanwhile', async () => {
  await commit('a', 'b', 'c', 'd', 'e')
  const discard = () =>
    scene.rows(
      `UPDATE outbox_message SET status = 'discarded', reason = 'a test', settled_at = now()
       WHERE body -> 'properties' ->> 'attemptId' = 'c'`,
    )
  expect(await meanwhile(discard)).toMatchObject({ delivered: 4 })
  expect(arrived()).toEqual(['a b', 'd', 'e'])
})

it('is not sent when the source is paused meanwhile', async () => {
  await commit('a', 'b', 'c', 'd')
  const { sourceId } = portal.source
  expect(await meanwhile(() => outbox.sources.pause(sourceId))).toMatchObject({ requests: 1, delivered: 2 })
  expect(await batches()).toEqual([{ n: 2, outcome: 'delivered', out: false, attempts: 1 }])
})

it('goes out under the write key that is saved meanwhile', async () => {
  await commit('a', 'b', 'c', 'd')
  const writeKey = '0'.repeat(32)
  scene.segment.addWriteKey(writeKey)
  await meanwhile(() => outbox.sources.saveWriteKey(portal.source.sourceId, writeKey, { insist: true }))
  const keys = scene.segment
    .requests()
    .flatMap((request) => (request.method === 'POST' ? [request.writeKey] : []))
  expect(keys).toEqual([portal.writeKey, writeKey])
})

it('waits behind a message that was recorded before, and committed meanwhile', async () => {
  const slow = scene.dataSource.createQueryRunner()
  await slow.startTransaction()
  await commit('a', 'b')
  await track(slow.manager, 'slow')
  await commit('c', 'd', 'e')
  const late = async () => {
    await slow.commitTransaction()
    await slow.release()
    await commit('after slow')
  }
  await meanwhile(late)
  expect(arrived()).toEqual(['a b', 'slow c', 'd e', 'after slow'])
  expect(arrived().join(' ')).toMatch(/slow.* after slow/)
  expect(arrived().join(' ').split(' ').sort()).toEqual(['a', 'after', 'b', 'c', 'd', 'e', 'slow', 'slow'])
})

it('waits behind it also where it was committed before the read, which begins above it', async () => {
  const slow = scene.dataSource.createQueryRunner()
  await slow.startTransaction()
  await commit('a')
  await track(slow.manager, 'slow')
  await commit('b')
  await commit('c', 'd', 'e')
  const hold = gate.hold('answer')
  // The first batch is formed without it.
  const read = holdReadAhead()
  const drained = outbox.drain()
  await hold.arrived()
  await slow.commitTransaction()
  await slow.release()
  read.release()
  hold.release()
  await drained
  expect(arrived()).toEqual(['a b', 'slow c', 'd e'])
})

it('of the batch after it is done while the statement runs that settles, and holds nothing twice', async () => {
  await commit('a', 'b', 'c', 'd', 'e')
  let formed = 0
  onQuery(scene.dataSource, 'outbox_open_batch', () => formed++)
  const other = scene.dataSource.createQueryRunner()
  await other.startTransaction()
  await meanwhile(async () => {
    await other.query('SELECT FROM source_delivery FOR UPDATE') // the statement that settles has to wait
    void nextReadAhead()
      .then(() => other.commitTransaction())
      .then(() => other.release())
  })
  expect(arrived()).toEqual(['a b', 'c d', 'e'])
  expect(formed).toBe(1)
})

it('of the batch after it is forgotten when nothing of it is left to send: what follows goes out once', async () => {
  await commit('a', 'b', 'c', 'd', 'e', 'f', 'g')
  const discard = () =>
    scene.rows(
      `UPDATE outbox_message SET status = 'discarded', reason = 'a test', settled_at = now()
       WHERE body -> 'properties' ->> 'attemptId' IN ('c', 'd')`,
    )
  expect(await meanwhile(discard)).toMatchObject({ delivered: 5 })
  expect(scene.segment.requests().flatMap(({ messageIds }) => messageIds)).toHaveLength(5)
  expect(arrived()).toEqual(['a b', 'e f', 'g'])
})

it('is given up when the batch before it is refused: nothing overtakes its halves', async () => {
  await commit('a', 'b', 'c', 'd')
  let refusals = 0
  scene.segment.fault({ kind: 'poison', predicate: () => refusals++ === 0 })
  expect(await outbox.drain()).toMatchObject({ requests: 4, delivered: 4 })
  expect(arrived()).toEqual(['a b', 'a', 'b', 'c d'])
})

it('is not begun when the dispatcher is told to stop meanwhile', async () => {
  await commit('a', 'b', 'c', 'd')
  let stopped: Promise<void> | undefined
  await meanwhile(async () => {
    stopped = outbox.stop()
  })
  await stopped
  expect(await batches()).toEqual([{ n: 2, outcome: 'delivered', out: false, attempts: 1 }])
  expect(await outbox.drain()).toMatchObject({ delivered: 2 })
})

it('goes on without it when it cannot be read', async () => {
  await commit('a', 'b', 'c', 'd')
  const { dataSource } = scene
  const query = dataSource.query.bind(dataSource)
  const fails = async (sql: string, parameters?: unknown[]) => {
    if (sql.includes('outbox_read_ahead')) throw new Error('the connection broke')
    return query(sql, parameters) as Promise<unknown>
  }
  Object.assign(dataSource, { query: fails })
  expect(await outbox.drain()).toMatchObject({ requests: 2, delivered: 4 })
  expect(arrived()).toEqual(['a b', 'c d'])
})

/** Keeps the reading ahead from beginning until it is released. */
function holdReadAhead() {
  const { dataSource } = scene
  const query = dataSource.query.bind(dataSource)
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  Object.assign(dataSource, {
    query: async (sql: string, parameters?: unknown[]) => {
      if (sql.includes('outbox_read_ahead')) await released
      return query(sql, parameters) as Promise<unknown>
    },
  })
  return { release }
}
