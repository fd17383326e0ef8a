import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { Pool } from 'undici'
import { startChild } from '../lib/child.mjs'
import { figure, interleaved, median, percentile, ratios, result, timed } from '../lib/measure.mjs'

const PER_SECOND = 50
/** Long enough that a percentile is 15 requests, and not what the machine did beside three of them. */
const SECONDS = 30
/** Not counted: in the first second a process starts its thread and plans its statements, once in its life. */
const WARM_SECONDS = 1
/** Of a process's first requests, the slowest are those that were not compiled yet. */
const FIRST_SECONDS = 15

export const scenario = {
  results: {
    'app.p99': {
      what:
        `The 99th percentile of a small HTTP request (one query) at ${PER_SECOND} requests per second, while the process ` +
        'that serves it drains a backlog of 500,000 ÷ the same while it has nothing to send. From the second second on.',
      goal: { atMost: 1.5 },
    },
  },
  async run(stage, { small, rounds }) {
    const seconds = small ? 2 : SECONDS
    // At full speed: longer, and nothing would be left for the next round.
    const secondsElsewhere = small ? 2 : 10
    const world = await stage.world()
    await world.pending(small ? 20_000 : 500_000)
    await world.settle()
    const web = await startChild('web', world)
    const other = await startChild('dispatcher', world)
    const requests = new Pool(web.ready.url, { connections: 8 })
    try {
      await stage.sink.reset()
      const draining = async (process, seconds) => {
        await process.ask({ start: true })
        await load(requests, WARM_SECONDS)
        const before = await stage.sink.seen()
        const times = await load(requests, seconds)
        const after = await stage.sink.seen()
        await process.ask({ stop: true })
        if (after.accepted === before.accepted) throw new Error('the backlog was too short: nothing was sent')
        return { times, perSecond: (after.accepted - before.accepted) / seconds }
      }
      const first = small ? 1 : FIRST_SECONDS
      await load(requests, first)
      await draining(web, first)
      const {
        draining: drained,
        quiet,
        elsewhere,
      } = await interleaved(small ? 1 : rounds, {
        draining: () => draining(web, seconds),
        quiet: () => load(requests, seconds),
        elsewhere: () => draining(other, secondsElsewhere),
      })
      const { accepted, duplicates } = await stage.sink.seen()
      const [{ delivered }] = await world.query(
        `SELECT count(*)::int AS delivered FROM outbox_message WHERE status = 'delivered'`,
      )
      if (accepted !== delivered || duplicates > 0) {
        throw new Error(
          `${accepted} events arrived, ${duplicates} twice, and ${delivered} are noted as delivered`,
        )
      }
      const times = (rounds) => rounds.map((round) => round.times)
      const p99 = (rounds) => rounds.map((round) => percentile(round, 99))
      return {
        'app.p99': result(ratios(p99(times(drained)), p99(quiet)), [
          figure('while draining, 99th percentile', 'ms', p99(times(drained))),
          figure('with nothing to send, 99th percentile', 'ms', p99(quiet)),
          figure(
            'while another process drains on the same cores, 99th percentile',
            'ms',
            p99(times(elsewhere)),
          ),
          figure('while draining, median', 'ms', times(drained).map(median)),
          figure('with nothing to send, median', 'ms', quiet.map(median)),
          figure(
            'drained meanwhile',
            'events/s',
            drained.map(({ perSecond }) => perSecond),
          ),
        ]),
      }
    } finally {
      await requests.close()
      await Promise.all([web.end(), other.end()])
      await world.end()
    }
  },
}

/** Milliseconds of each request, sent at an even pace whether or not the last was answered. */
async function load(pool, seconds) {
  const times = []
  const under = []
  const began = performance.now()
  for (let i = 0; i < PER_SECOND * seconds; i++) {
    const due = began + (i * 1000) / PER_SECOND
    if (due > performance.now()) await pause(due - performance.now())
    under.push(
      timed(async () => {
        const { statusCode, body } = await pool.request({ method: 'GET', path: `/${randomUUID()}` })
        await body.text()
        if (statusCode !== 200) throw new Error(`the request was answered ${statusCode}`)
      }).then((ms) => times.push(ms)),
    )
  }
  await Promise.all(under)
  return times
}
