import { startChild } from '../lib/child.mjs'
import { figure, interleaved, ratios, result, timed } from '../lib/measure.mjs'

const PORTALS = 200
const BATCH = 25
const PROCESSES = 4
const DELAY_MS = 50
const CONCURRENCY = 2

export const scenario = {
  results: {
    'drain.replicas': {
      what:
        `Events per second of ${PROCESSES} processes ÷ 1 process, where Segment answers after ${DELAY_MS} ms: ${PORTALS} ` +
        `portals, ${BATCH} events a request. Each process serves ${CONCURRENCY} sources at once: it waits for Segment then, ` +
        'and not for the cores that four processes have to share.',
      goal: { atLeast: 3 },
    },
  },
  async run(stage, { small, rounds }) {
    const portals = small ? 40 : PORTALS
    const perPortal = BATCH * (small ? 2 : 5)
    const world = await stage.world({ portals })
    const children = []
    try {
      const outbox = { dispatcher: { batchMessages: BATCH, concurrency: CONCURRENCY, cron: '* * * * * *' } }
      for (let i = 0; i < PROCESSES; i++) children.push(await startChild('dispatcher', world, { outbox }))
      const count = portals * perPortal
      const drain = async (processes) => {
        await world.query('TRUNCATE outbox_message, outbox_batch')
        await world.pending(count)
        await world.settle()
        await stage.sink.reset({ responseDelayMs: DELAY_MS })
        const some = children.slice(0, processes)
        // One that finds every source taken is done at once, and would be woken by its schedule: it looks again.
        const ms = await timed(() => Promise.all(some.map((child) => drainUntilEmpty(child, world))))
        await stage.sink.expect(count, `${processes} processes`)
        return (count / ms) * 1000
      }
      await drain(PROCESSES) // warm
      const speeds = await interleaved(small ? 1 : rounds, {
        one: () => drain(1),
        four: () => drain(PROCESSES),
      })
      return {
        'drain.replicas': result(ratios(speeds.four, speeds.one), [
          figure(`${PROCESSES} processes`, 'events/s', speeds.four),
          figure('1 process', 'events/s', speeds.one),
        ]),
      }
    } finally {
      await Promise.all(children.map((child) => child.end()))
      await stage.sink.reset()
      await world.end()
    }
  },
}

async function drainUntilEmpty(child, world) {
  for (;;) {
    await child.ask({ drain: true })
    const [{ waits }] = await world.query(
      `SELECT EXISTS (SELECT FROM outbox_message WHERE status = 'pending') AS waits`,
    )
    if (!waits) return
  }
}
