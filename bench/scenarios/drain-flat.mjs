import { figure, halfOf, interleaved, ratios, result } from '../lib/measure.mjs'

export const scenario = {
  results: {
    'drain.flat': {
      what:
        'Events per second with 2,000,000 delivered rows and a backlog of 500,000 ÷ with 10,000 rows in all, one portal. ' +
        'The whole backlog is drained.',
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
      const small_ = async () => {
        await little.query('TRUNCATE outbox_message, outbox_batch')
        await little.pending(few)
        await little.settle()
        return little.drain(outbox, few)
      }
      const large = async () => {
        const world = await stage.world({ like: full })
        try {
          await world.query('CHECKPOINT')
          return await world.drain(world.outbox(), backlog)
        } finally {
          await world.end()
        }
      }
      await small_() // warm
      const speeds = await interleaved(small ? rounds : halfOf(rounds), { few: small_, many: large })
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
