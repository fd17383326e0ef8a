import { setTimeout as pause } from 'node:timers/promises'
import { submittedTest } from '../lib/events.mjs'
import { figure, interleaved, percentile, ratios, result } from '../lib/measure.mjs'

const PER_SECOND = 100
/** Not counted: those of the process's first second, in which it starts its thread and plans its statements. */
const WARM = PER_SECOND

export const scenario = {
  results: {
    fair: {
      what:
        'The 99th percentile lag (commit to arrival) of 999 quiet portals while one portal has a backlog of 500,000 and ' +
        `another's requests are answered after 9 s ÷ the same without those two. ${PER_SECOND} quiet events per second, ` +
        'default options, from the process’s second second on.',
      goal: { atMost: 3 },
    },
  },
  async run(stage, { small, rounds }) {
    const seconds = small ? 2 : 20
    const world = await stage.world({ portals: small ? 50 : 1001 })
    const [flooded, slow, ...quiet] = world.portals
    try {
      const outbox = world.outbox()
      const delays = { [slow.writeKey]: 9000 }
      const disturbed = async () => {
        await world.query('TRUNCATE outbox_message, outbox_batch')
        await world.pending(small ? 20_000 : 500_000, { portals: [flooded] })
        await world.pending(small ? 100 : 5000, { portals: [slow] })
        await world.settle()
        return lag(stage, world, outbox, quiet, seconds, delays)
      }
      const alone = async () => {
        await world.query('TRUNCATE outbox_message, outbox_batch')
        await world.settle()
        return lag(stage, world, outbox, quiet, seconds, delays)
      }
      await lag(stage, world, outbox, quiet, 1, delays) // warm
      const lags = await interleaved(small ? 1 : Math.min(rounds, 3), { disturbed, alone })
      return {
        fair: result(ratios(lags.disturbed, lags.alone), [
          figure('beside a flooded and a slow portal, 99th percentile', 'ms', lags.disturbed),
          figure('without them, 99th percentile', 'ms', lags.alone),
        ]),
      }
    } finally {
      await world.end()
    }
  },
}

/** The 99th percentile of the quiet portals' lag, in milliseconds. */
async function lag(stage, { dataSource, query }, outbox, quiet, seconds, delays) {
  await stage.sink.reset({ keepArrivals: true, delays })
  await outbox.start()
  const committed = new Map()
  const under = []
  const began = performance.now()
  for (let i = 0; i < WARM + PER_SECOND * seconds; i++) {
    const due = began + (i * 1000) / PER_SECOND
    if (due > performance.now()) await pause(due - performance.now())
    const { portalId } = quiet[(i * 7) % quiet.length]
    under.push(
      dataSource
        .transaction((tx) => outbox.track(tx, 'Submitted Test', submittedTest(portalId)))
        .then(({ messageId }) => {
          if (i >= WARM) committed.set(messageId, performance.timeOrigin + performance.now())
        }),
    )
  }
  await Promise.all(under)
  await delivered(query, [...committed.keys()])
  const arrivals = await stage.sink.arrivals()
  await outbox.stop()
  const { duplicates } = await stage.sink.seen()
  const lags = arrivals.flatMap(([id, at]) => (committed.has(id) ? [at - committed.get(id)] : []))
  if (lags.length !== committed.size || duplicates > 0) {
    throw new Error(`${lags.length} of ${committed.size} quiet events arrived, ${duplicates} events twice`)
  }
  return percentile(lags, 99)
}

/** Waits until all of them are delivered. */
async function delivered(query, ids) {
  for (;;) {
    const [{ waits }] = await query(
      `SELECT count(*)::int AS waits FROM outbox_message WHERE message_id = ANY ($1::uuid[]) AND status = 'pending'`,
      [ids],
    )
    if (waits === 0) return
    await pause(100)
  }
}
