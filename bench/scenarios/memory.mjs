import { startChild } from '../lib/child.mjs'
import { figure, halfOf, interleaved, median, ratios, repeated, result } from '../lib/measure.mjs'

/**
 * MiB, V8's own maximum. V8 lets the young generation grow to that while a process is busy and shrink when it is not:
 * the garbage in it would be the peak, and tell how long the process was busy.
 */
const YOUNG = 16

/** Processes that drain few: how far the garbage of one has come by its end differs from one to the next. */
const FEW_TIMES = 3

export const scenario = {
  results: {
    memory: {
      what:
        'Peak growth of the main thread’s heap in a process that drains 1,000,000 events ÷ that drains 10,000, looked at every 20 ms, ' +
        `each in a fresh process that has drained 10,000 before, the median of ${FEW_TIMES} for 10,000. The young generation has ${YOUNG} MiB from the start, as V8 gives it ` +
        'to a process that is busy for long.',
      goal: { atMost: 1.2 },
    },
  },
  async run(stage, { small, rounds }) {
    const [many, few] = small ? [10_000, 2000] : [1_000_000, 10_000]
    const world = await stage.world()
    try {
      const growth = async (count) => {
        const execArgv = [`--min-semi-space-size=${YOUNG}`, `--max-semi-space-size=${YOUNG}`]
        const child = await startChild('dispatcher', world, { execArgv })
        const drain = async (events) => {
          await world.query('TRUNCATE outbox_message, outbox_batch')
          await world.pending(events)
          await world.settle()
          await stage.sink.reset()
          const { peakBytes, leftBytes } = await child.ask({ drain: true })
          await stage.sink.expect(events, 'the dispatcher')
          return { peak: peakBytes / 2 ** 20, left: leftBytes / 2 ** 20 }
        }
        try {
          await drain(few) // warm: what is compiled and cached once is not growth
          return await drain(count)
        } finally {
          await child.end()
        }
      }
      const grown = await interleaved(small ? 1 : halfOf(rounds), {
        many: () => growth(many),
        few: async () => {
          const grown = await repeated(FEW_TIMES, () => growth(few))
          return { peak: median(grown.map(({ peak }) => peak)) }
        },
      })
      const peaks = (name) => grown[name].map(({ peak }) => peak)
      const text = (count) => count.toLocaleString('en-GB')
      return {
        memory: result(ratios(peaks('many'), peaks('few')), [
          figure(`${text(many)} events`, 'MiB', peaks('many')),
          figure(`${text(few)} events`, 'MiB', peaks('few')),
          figure(
            `left after ${text(many)}, collected`,
            'MiB',
            grown.many.map(({ left }) => left),
          ),
        ]),
      }
    } finally {
      await world.end()
    }
  },
}
