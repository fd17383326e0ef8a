import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { submittedTest } from '../lib/events.mjs'
import { figure, percentile, ratios, result, timed } from '../lib/measure.mjs'

const PER_SECOND = 200
const PORTALS = 20

const what = (p) =>
  `The ${p} of the time from a commit to the arrival of its event's request at Segment, at ${PER_SECOND} events per second ` +
  `over ${PORTALS} portals ÷ the ${p} of a bare insert with its commit, taken in the same run and in between.`

export const scenario = {
  results: {
    'wake.p50': { what: what('median'), goal: { atMost: 5 } },
    'wake.p99': { what: what('99th percentile'), goal: { atMost: 25 } },
  },
  async run(stage, { small, rounds }) {
    const seconds = small ? 2 : 10
    const world = await stage.world({ portals: PORTALS })
    try {
      const outbox = world.outbox()
      await outbox.start()
      await round(stage, world, outbox, 1) // warm
      const taken = { wake50: [], wake99: [], bare50: [], bare99: [] }
      for (let i = 0; i < rounds; i++) {
        const { latencies, bare } = await round(stage, world, outbox, seconds)
        taken.wake50.push(percentile(latencies, 50))
        taken.wake99.push(percentile(latencies, 99))
        taken.bare50.push(percentile(bare, 50))
        taken.bare99.push(percentile(bare, 99))
      }
      return {
        'wake.p50': result(ratios(taken.wake50, taken.bare50), [
          figure('commit to request, median', 'ms', taken.wake50),
          figure('bare insert and commit, median', 'ms', taken.bare50),
        ]),
        'wake.p99': result(ratios(taken.wake99, taken.bare99), [
          figure('commit to request, 99th percentile', 'ms', taken.wake99),
          figure('bare insert and commit, 99th percentile', 'ms', taken.bare99),
        ]),
      }
    } finally {
      await world.end()
    }
  },
}

const now = () => performance.timeOrigin + performance.now()

/** Recording at an even pace; every fourth time a bare insert as well. Both clocks are the machine's monotonic one. */
async function round(stage, { dataSource, portals }, outbox, seconds) {
  await stage.sink.reset({ keepArrivals: true })
  const committed = new Map()
  const bare = []
  const under = []
  const began = performance.now()
  const count = PER_SECOND * seconds
  for (let i = 0; i < count; i++) {
    const due = began + (i * 1000) / PER_SECOND
    if (due > performance.now()) await pause(due - performance.now())
    const { portalId } = portals[i % PORTALS]
    under.push(record(dataSource, outbox, portalId, committed))
    if (i % 4 === 0) under.push(timed(() => insert(dataSource, portalId)).then((ms) => bare.push(ms)))
  }
  await Promise.all(under)
  await outbox.drain()
  await stage.sink.expect(count, 'the outbox')
  const arrivals = await stage.sink.arrivals()
  return { latencies: arrivals.map(([id, at]) => at - committed.get(id)), bare }
}

async function record(dataSource, outbox, portalId, committed) {
  const runner = dataSource.createQueryRunner()
  try {
    await runner.startTransaction()
    const { messageId } = await outbox.track(runner.manager, 'Submitted Test', submittedTest(portalId))
    await runner.commitTransaction()
    committed.set(messageId, now())
  } finally {
    await runner.release()
  }
}

function insert(dataSource, portalId) {
  return dataSource.query('INSERT INTO bench_business VALUES ($1, $2, now(), 18)', [randomUUID(), portalId])
}
