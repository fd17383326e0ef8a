import { startChild } from '../lib/child.mjs'
import { submittedTest } from '../lib/events.mjs'
import { figure, inOrder, mean, ratios, repeated, result } from '../lib/measure.mjs'

const WRITERS = 4
/** Days after which delivered messages are pruned by default. */
const EXPIRED = '15 days'
/** Seconds of one measurement, and of what comes before the first: until then each page is touched for the first time. */
const SECONDS = 6
/** In each round. The second half mirrors the first, so that what drifts meets both alike. */
const ORDER = ['quiet', 'pruning', 'pruning', 'quiet']

export const scenario = {
  results: {
    prune: {
      what:
        `Events per second recorded by ${WRITERS} writers and drained at the same time, while 2,000,000 expired rows are ` +
        `pruned by another process ÷ without. Four times ${SECONDS} s in a round, on one database: ${ORDER.join(', ')}.`,
      goal: { atLeast: 0.9 },
    },
  },
  async run(stage, { small, rounds }) {
    const expired = small ? 20_000 : 2_000_000
    const seconds = small ? 1 : SECONDS
    const full = await stage.world()
    await full.delivered(expired, { age: EXPIRED })
    await full.settle()
    await full.close()
    try {
      const taken = await repeated(small ? 1 : rounds, () => round(stage, full, seconds))
      const speeds = (of) => taken.map((speed) => speed[of])
      return {
        prune: result(ratios(speeds('pruning'), speeds('quiet')), [
          figure('while pruning', 'events/s', speeds('pruning')),
          figure('without', 'events/s', speeds('quiet')),
          figure('pruned meanwhile', 'rows/s', speeds('pruned')),
        ]),
      }
    } finally {
      await full.drop()
    }
  },
}

async function round(stage, full, seconds) {
  const world = await stage.world({ like: full })
  try {
    const outbox = world.outbox()
    await outbox.start()
    await measure(stage, world, outbox, seconds)
    const quiet = () => measure(stage, world, outbox, seconds)
    const all = await inOrder(ORDER, { quiet, pruning: () => whilePruning(world, quiet) })
    const speed = (of, stretches) => mean(stretches.map((stretch) => stretch[of] / stretch.took))
    return {
      quiet: speed('count', all.quiet),
      pruning: speed('count', all.pruning),
      pruned: speed('removed', all.pruning),
    }
  } finally {
    await world.end()
  }
}

/** What was measured while another process pruned, and how many rows it removed meanwhile. */
async function whilePruning(world, measured) {
  const pruner = await startChild('pruner', world)
  try {
    await pruner.ask({ start: true })
    return { ...(await measured()), ...(await pruner.ask({ stop: true })) }
  } finally {
    await pruner.end()
  }
}

/** How many events were recorded and delivered, and in how many seconds. */
async function measure(stage, world, outbox, seconds) {
  await stage.sink.reset()
  const began = performance.now()
  const count = await write(world, outbox, seconds)
  await outbox.drain()
  const took = (performance.now() - began) / 1000
  await stage.sink.expect(count, 'the outbox')
  return { count, took }
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
