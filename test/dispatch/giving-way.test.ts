import { channel } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Outbox, OutboxOptions } from 'synap-outbox'
import { GivingWay } from '../../src/dispatch/giving-way'
import { onQuery } from '../support/on-query'
import { beganTest, type Connected, createScene, type Scene } from '../support/scene'

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
const commit = async (outbox: Outbox, { portalId }: Connected, count: number) => {
  const settled = new Promise<void>((resolve) => {
    let left = count
    outbox.on('settled', (end) => {
      if (end.portalId === portalId) left -= end.messages
      if (left === 0) resolve()
    })
  })
  const calls = Array.from({ length: count }, () => ({
    type: 'track' as const,
    event: 'Began Test' as const,
    portalId,
    userId: 'u',
    properties: beganTest(),
  }))
  await scene.dataSource.transaction((tx) => outbox.record(tx, calls))
  await settled
}
/** How many messages each request had, and how often was read ahead. */
const watched = () => {
  let readAhead = 0
  onQuery(scene.dataSource, 'outbox_read_ahead', () => readAhead++)
  return () => ({
    requests: scene.segment
      .requests()
      .filter(({ method }) => method === 'POST')
      .map(({ messageIds }) => messageIds.length),
    readAhead,
  })
}

it('goes out in small batches, one thing after the other, while the application answers its users', async () => {
  const outbox = await start()
  const portal = await scene.connect(outbox)
  const seen = watched()
  stopTheClock()
  await serveUser()
  await commit(outbox, portal, 251)
  expect(seen()).toEqual({ requests: [100, 100, 51], readAhead: 0 })
})

it('goes out at full speed beside requests that only the local Segment takes, and its own commits', async () => {
  const outbox = await start()
  const portal = await scene.connect(outbox)
  const seen = watched()
  stopTheClock()
  await commit(outbox, portal, 1)
  await commit(outbox, portal, 251)
  expect(seen()).toEqual({ requests: [1, 250, 1], readAhead: 1 })
})

it('gives way to what is committed for other portals', async () => {
  const outbox = await start()
  const quiet = await scene.connect(outbox)
  const flooded = await scene.connect(outbox)
  const seen = watched()
  stopTheClock()
  await commit(outbox, quiet, 1)
  await commit(outbox, flooded, 251)
  expect(seen()).toEqual({ requests: [1, 100, 100, 51], readAhead: 0 })
})

it('gives way to nobody where it is told so', async () => {
  const outbox = await start({ giveWay: 0 })
  const portal = await scene.connect(outbox)
  const seen = watched()
  stopTheClock()
  await serveUser()
  await commit(outbox, portal, 251)
  expect(seen()).toEqual({ requests: [250, 1], readAhead: 1 })
})

it('sends no larger batches than are wanted, for all that', async () => {
  const outbox = await start({ batchMessages: 40 })
  const portal = await scene.connect(outbox)
  const seen = watched()
  stopTheClock()
  await serveUser()
  await commit(outbox, portal, 50)
  expect(seen()).toEqual({ requests: [40, 10], readAhead: 0 })
})

it('watches the application’s requests only while it dispatches', async () => {
  const requests = channel('http.server.request.start')
  const outbox = await start()
  await outbox.start()
  expect(requests.hasSubscribers).toBe(true)
  await outbox.stop()
  expect(requests.hasSubscribers).toBe(false)
})

describe('the rest after a batch', () => {
  const LONG = 3_600_000
  const { signal: never } = new AbortController()
  const ended = async (rest: Promise<void>) => {
    let end = false
    void rest.then(() => {
      end = true
    })
    await nextTurn()
    return end
  }
  const beside = (sourceId: string) => {
    const way = new GivingWay(4)
    way.committed([sourceId])
    return way
  }

  it('lasts, and ends at once when the dispatcher stops', async () => {
    const stopping = new AbortController()
    const rest = beside('quiet').rest('flooded', LONG, LONG, stopping.signal)
    expect(await ended(rest)).toBe(false)
    stopping.abort()
    await rest
  })

  it('is none where there is nobody to give way to', async () => {
    expect(await ended(beside('flooded').rest('flooded', LONG, LONG, never))).toBe(true)
    expect(await ended(new GivingWay(4).rest('flooded', LONG, LONG, never))).toBe(true)
  })

  it('does not last longer than the turn', async () => {
    expect(await ended(beside('quiet').rest('flooded', LONG, -1, never))).toBe(true)
  })

  it('is for the last 100 ms', () => {
    const now = stopTheClock()
    const way = beside('quiet')
    const at = performance.now()
    now.mockReturnValue(at + 99)
    expect(way.isDue('flooded')).toBe(true)
    now.mockReturnValue(at + 100)
    expect(way.isDue('flooded')).toBe(false)
  })

  it('is for the other of two that commit in turns', () => {
    const way = beside('a')
    way.committed(['b', 'b'])
    expect([way.isDue('a'), way.isDue('b'), way.isDue('c')]).toEqual([true, true, true])
  })
})
