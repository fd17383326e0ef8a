import { startChild } from '../lib/child.mjs'
import { figure, halfOf, interleaved, median, ratios, result } from '../lib/measure.mjs'

/** A short drain ends anywhere between two collections, where a long one comes to see the highest. */
const SHORT_DRAINS = 5

export const scenario = {
  results: {
    memory: {
      what:
        'Peak growth of the main thread’s heap in a process that drains 1,000,000 events ÷ that drains 10,000, looked at every 20 ms, ' +
        `each in a fresh process that has drained 10,000 before. Of the latter, the median of ${SHORT_DRAINS} processes.`,
      goal: { atMost: 1.2 },
    },
  },
  async run(stage, { small, rounds }) {
    const [many, few] = small ? [10_000, 2000] : [1_000_000, 10_000]
    const world = await stage.world()
    try {
      const peak = async (count) => {
        const child = await startChild('dispatcher', world)
        const drain = async (events) => {
          await world.query('TRUNCATE outbox_message, outbox_batch')
          await world.pending(events)
          await world.settle()
          await stage.sink.reset()
          const { peakBytes } = await child.ask({ drain: true })
          await stage.sink.expect(events, 'the dispatcher')
          return peakBytes / 2 ** 20
        }
        try {
          await drain(few) // warm: what is compiled and cached once is not growth
          return await drain(count)
        } finally {
          await child.end()
        }
      }
      const peaks = await interleaved(small ? 1 : halfOf(rounds), {
        many: () => peak(many),
        few: async () => {
          const each = []
          for (let i = 0; i < (small ? 1 : SHORT_DRAINS); i++) each.push(await peak(few))
          return median(each)
        },
      })
      return {
        memory: result(ratios(peaks.many, peaks.few), [
          figure(`${many.toLocaleString('en-GB')} events`, 'MiB', peaks.many),
          figure(`${few.toLocaleString('en-GB')} events`, 'MiB', peaks.few),
        ]),
      }
    } finally {
      await world.end()
    }
  },
}
