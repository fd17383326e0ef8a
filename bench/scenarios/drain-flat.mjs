import { figure, halfOf, interleaved, mean, ratios, repeated, result } from '../lib/measure.mjs'

/** Small drains of a round: each takes a second or two, where the large one takes a minute. */
const FEW_TIMES = 5

export const scenario = {
  results: {
    'drain.flat': {
      what:
        'Events per second with 2,000,000 delivered rows and a backlog of 500,000 ÷ with 10,000 rows in all, one portal. ' +
        `The whole backlog is drained, by a server that has it in memory; of 10,000, the mean of ${FEW_TIMES} drains counts.`,
      goal: { atLeast: 0.9 },
    },
  },
  async run(stage, { small, rounds }) {
    const [delivered, backlog, few] = small ? [10_000, 5000, 1000] : [2_000_000, 500_000, 10_000]
    const full = await stage.world()
    await full.delivered(delivered)
    await full.pending(backlog)
    await full.settle()
    await full.close()
    const little = await stage.world()
    try {
      const outbox = little.outbox()
      const drainFew = async () => {
        await little.query('TRUNCATE outbox_message, outbox_batch')
        await little.pending(few)
        await little.settle()
        return little.drain(outbox, few)
      }
      const large = async () => {
        const world = await stage.world({ like: full })
        try {
          await world.warm()
          await world.query('CHECKPOINT')
          return await world.drain(world.outbox(), backlog)
        } finally {
          await world.end()
        }
      }
      await drainFew() // warm
      const speeds = await interleaved(small ? rounds : halfOf(rounds), {
        few: async () => mean(await repeated(FEW_TIMES, drainFew)),
        many: large,
      })
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
      await full.drop()
    }
  },
}
