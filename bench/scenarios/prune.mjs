import { startChild } from '../lib/child.mjs'
import { submittedTest } from '../lib/events.mjs'
import { figure, interleaved, ratios, result } from '../lib/measure.mjs'

const WRITERS = 4
/** Days after which delivered messages are pruned by default. */
const EXPIRED = '15 days'

export const scenario = {
  results: {
    prune: {
      what:
        `Events per second recorded by ${WRITERS} writers and drained at the same time, while 2,000,000 expired rows are ` +
        'pruned by another process ÷ without.',
      goal: { atLeast: 0.9 },
    },
  },
  async run(stage, { small, rounds }) {
    const expired = small ? 20_000 : 2_000_000
    const seconds = small ? 1 : 8
    const full = await stage.world()
    await full.delivered(expired, { age: EXPIRED })
    await full.settle()
    await full.close()
    try {
      const round = async (prunes) => {
        const world = await stage.world({ like: full })
        try {
          await world.query('CHECKPOINT')
          return await measure(stage, world, seconds, prunes)
        } finally {
          await world.end()
        }
      }
      const speeds = await interleaved(small ? 1 : rounds, {
        pruning: () => round(true),
        quiet: () => round(false),
      })
      const perSecond = (name, field) => speeds[name].map((each) => each[field])
      return {
        prune: result(ratios(perSecond('pruning', 'events'), perSecond('quiet', 'events')), [
          figure('while pruning', 'events/s', perSecond('pruning', 'events')),
          figure('without', 'events/s', perSecond('quiet', 'events')),
          figure('pruned meanwhile', 'rows/s', perSecond('pruning', 'pruned')),
        ]),
      }
    } finally {
      await full.drop()
    }
  },
}

async function measure(stage, world, seconds, prunes) {
  const outbox = world.outbox()
  await write(world, outbox, 1) // warm
  await outbox.drain()
  await stage.sink.reset()
  const pruner = await startChild('pruner', world)
  try {
    await outbox.start()
    if (prunes) await pruner.ask({ start: true })
    const began = performance.now()
    const count = await write(world, outbox, seconds)
    await outbox.drain()
    const took = (performance.now() - began) / 1000
    const { removed } = await pruner.ask({ stop: true })
    await outbox.stop()
    await stage.sink.expect(count, 'the outbox')
    return { events: count / took, pruned: removed / took }
  } finally {
    await pruner.end()
  }
}

async function write({ dataSource, portals }, outbox, seconds) {
  const [{ portalId }] = portals
  const until = performance.now() + seconds * 1000
  let count = 0
  const writer = async () => {
    while (performance.now() < until) {
      await dataSource.transaction((tx) => outbox.track(tx, 'Submitted Test', submittedTest(portalId)))
      count++
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, writer))
  return count
}
