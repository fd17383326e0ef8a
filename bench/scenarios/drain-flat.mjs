import { figure, halfOf, mean, ratios, repeated, result } from '../lib/measure.mjs'

/** Small drains just before a large one, and as many just after it: a machine's speed drifts within minutes. */
const FEW_TIMES = 8

export const scenario = {
  results: {
    'drain.flat': {
      what:
        'Events per second with 2,000,000 delivered rows and a backlog of 500,000 ÷ with 10,000 rows in all, one portal. ' +
        `The whole backlog is drained, by a server that has it in memory; of 10,000, the mean of ${FEW_TIMES} drains just ` +
        `before and ${FEW_TIMES} just after counts.`,
      goal: { atLeast: 0.9 },
    },
  },
  async run(stage, { small, rounds }) {
    const [delivered, backlog, few] = small ? [10_000, 5000, 1000] : [2_000_000, 500_000, 10_000]
    const large = await stage.world()
    const little = await stage.world()
    try {
      const [outbox, littleOutbox] = [large.outbox(), little.outbox()]
      const drainFew = async () => {
        await fill(little, 0, few)
        return little.drain(littleOutbox, few)
      }
      const drainFewTimes = async () => {
        await drainFew() // warm: the pool has let its connections go
        return repeated(FEW_TIMES, drainFew)
      }
      const speeds = { many: [], few: [] }
      for (let i = 0; i < (small ? rounds : halfOf(rounds)); i++) {
        await fill(large, delivered, backlog)
        const before = await drainFewTimes()
        speeds.many.push(await large.drain(outbox, backlog))
        speeds.few.push(mean([...before, ...(await drainFewTimes())]))
      }
      return {
        'drain.flat': result(ratios(speeds.many, speeds.few), [
          figure(
            `${delivered.toLocaleString('en-GB')} delivered, ${backlog.toLocaleString('en-GB')} waiting`,
            'events/s',
            speeds.many,
          ),
          figure(`${few.toLocaleString('en-GB')} in all`, 'events/s', speeds.few),
        ]),
      }
    } finally {
      await little.end()
      await large.end()
    }
  },
}

async function fill(world, delivered, pending) {
  await world.query('TRUNCATE outbox_message, outbox_batch')
  await world.delivered(delivered)
  await world.pending(pending)
  await world.settle()
}
