import { channel } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Outbox, OutboxOptions } from 'synap-outbox'
import { GivingWay } from '../../src/dispatch/giving-way'
import { onQuery } from '../support/on-query'
import { type Connected, createScene, random, type Scene } from '../support/scene'
import { commitAttempts, requestSizes, settled } from './support/traffic'

/** A backlog gives way to the application's users, and to other portals. */
let scene: Scene
let application: Server

beforeEach(async () => {
  scene = await createScene()
  application = createServer((_, response) => response.end('{}'))
  await once(application.listen(0, '127.0.0.1'), 'listening')
})
afterEach(async () => {
  jest.restoreAllMocks()
  await scene.end()
  application.close()
  application.closeAllConnections()
})

/** Only wake-ups: no schedule comes in between. */
const start = async (dispatcher: OutboxOptions['dispatcher'] = {}) => {
  const outbox = scene.outbox({ dispatcher: { cron: '0 0 1 1 *', ...dispatcher } })
  await outbox.start()
  return outbox
}
/** What was just now stays just now. */
const stopTheClock = () => jest.spyOn(performance, 'now').mockReturnValue(performance.now())
const serveUser = async () => {
  const { port } = application.address() as AddressInfo
  await (await fetch(`http://127.0.0.1:${port}`, { headers: { connection: 'close' } })).text()
}
/** Commits so many messages, and waits until they are settled. */
const commit = async (outbox: Outbox, portal: Connected, count: number) => {
  const all = settled(outbox, count, portal.portalId)
  await commitAttempts(
    scene,
    outbox,
    portal,
    Array.from({ length: count }, () => random()),
  )
  await all
}
const requests = () => requestSizes(scene)
/** How many messages each request had, and how often was read ahead. */
const watched = () => {
  let readAhead = 0
  onQuery(scene.dataSource, 'outbox_read_ahead', () => readAhead++)
  return () => ({ requests: requests(), readAhead })
}
/** The same for a backlog of so many, while a user is served. */
const besideUsers = async (count: number, dispatcher?: OutboxOptions['dispatcher']) => {
  const outbox = await start(dispatcher)
  const portal = await scene.connect(outbox)
  const seen = watched()
  stopTheClock()
  await serveUser()
  await commit(outbox, portal, count)
  return seen()
}

it('goes out in small batches, one thing after the other, while the application answers its users', async () => {
  expect(await besideUsers(710)).toEqual({ requests: [500, 100, 100, 10], readAhead: 0 })
})

it('is no backlog what goes out in one request', async () => {
  const outbox = await start()
  const portal = await scene.connect(outbox)
  stopTheClock()
  await serveUser()
  await commit(outbox, portal, 550)
  await commit(outbox, portal, 490)
  expect(requests()).toEqual([500, 50, 490])
})

it('goes out at full speed beside requests that only the local Segment takes, and its own commits', async () => {
  const outbox = await start()
  const portal = await scene.connect(outbox)
  const seen = watched()
  stopTheClock()
  await commit(outbox, portal, 1)
  await commit(outbox, portal, 710)
  expect(seen()).toEqual({ requests: [1, 500, 210], readAhead: 1 })
})

it('gives way to what is committed for other portals', async () => {
  const outbox = await start()
  const quiet = await scene.connect(outbox)
  const flooded = await scene.connect(outbox)
  const seen = watched()
  stopTheClock()
  await commit(outbox, quiet, 1)
  await commit(outbox, flooded, 710)
  expect(seen()).toEqual({ requests: [1, 500, 100, 100, 10], readAhead: 0 })
})

it('gives way to nobody where it is told so', async () => {
  expect(await besideUsers(710, { giveWay: 0 })).toEqual({ requests: [500, 210], readAhead: 1 })
})

it('sends no larger batches than are wanted, for all that', async () => {
  expect(await besideUsers(50, { batchMessages: 40 })).toEqual({ requests: [40, 10], readAhead: 0 })
})

it('leaves its place and its lease to others while it rests', async () => {
  const outbox = await start({ concurrency: 1, giveWay: 100, batchMessages: 10 })
  const flooded = await scene.connect(outbox)
  const quiet = await scene.connect(outbox)
  // Each statement takes 10 ms, and there is always a user: so it rests for the longest time there is, a second.
  const now = stopTheClock()
  onQuery(scene.dataSource, 'outbox_', async () => {
    now.mockReturnValue(performance.now() + 10)
    await serveUser()
  })
  await serveUser()
  const first = new Promise((resolve) => outbox.on('settled', resolve))
  const all = commit(outbox, flooded, 15)
  await first
  const lease = `SELECT lease_owner FROM source_delivery WHERE source_id = $1`
  expect(await scene.rows(lease, [flooded.source.sourceId])).toEqual([{ lease_owner: null }])
  await commit(outbox, quiet, 1)
  expect(requests()).toEqual([10, 1])
  await all
  expect(requests()).toEqual([10, 1, 5])
})

it('watches the application’s requests only while it dispatches', async () => {
  const started = channel('http.server.request.start')
  const outbox = await start()
  await outbox.start()
  expect(started.hasSubscribers).toBe(true)
  await outbox.stop()
  expect(started.hasSubscribers).toBe(false)
})

describe('the rest after a batch', () => {
  const beside = (sourceId: string) => {
    const way = new GivingWay(4)
    way.committed([sourceId])
    return way
  }

  it('is as many times as long as its statements took, and a second at most', () => {
    expect(beside('quiet').restMs('flooded', 20)).toBe(80)
    expect(beside('quiet').restMs('flooded', 300)).toBe(1000)
  })

  it('is shared by those that give way at the same time', () => {
    const now = stopTheClock()
    const way = beside('quiet')
    expect(['a', 'b', 'c', 'a'].map((sourceId) => way.restMs(sourceId, 20))).toEqual([80, 160, 240, 240])
    way.caughtUp('b')
    expect(way.restMs('a', 20)).toBe(160)
    // Another process has taken c.
    now.mockReturnValue(performance.now() + 2001)
    expect(way.restMs('a', 20)).toBe(80)
  })

  it('is due for 100 ms', () => {
    const now = stopTheClock()
    const way = beside('quiet')
    const at = performance.now()
    now.mockReturnValue(at + 99)
    expect(way.isDue('flooded')).toBe(true)
    now.mockReturnValue(at + 100)
    expect(way.isDue('flooded')).toBe(false)
  })

  it('is due for the other of two that commit in turns', () => {
    const way = beside('a')
    way.committed(['b', 'b'])
    expect([way.isDue('a'), way.isDue('b'), way.isDue('c')]).toEqual([true, true, true])
  })

  it('is not due for what is committed for another backlog', () => {
    const way = new GivingWay(4)
    way.restMs('flooded', 20)
    way.committed(['flooded'])
    expect(way.isDue('quiet')).toBe(false)
  })
})
