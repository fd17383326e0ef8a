import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { Pool } from 'undici'
import { startChild } from '../lib/child.mjs'
import {
  figure,
  inOrder,
  mean,
  median,
  percentile,
  ratios,
  repeated,
  result,
  sum,
  timed,
} from '../lib/measure.mjs'
import { withoutSteal } from '../lib/steal.mjs'

const PER_SECOND = 50
/** Of one stretch. Those of a round are taken together: a percentile is 30 requests then, not what happened beside three. */
const SECONDS = 5
/** Short, and mirrored, so that what else keeps the machine busy meets both alike. */
const ORDER = ['draining', 'quiet', 'quiet', 'draining']
/** How often in a round. */
const TIMES = 6
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
    const backlog = small ? 50_000 : 500_000
    const order = Array.from({ length: small ? 1 : TIMES }, () => ORDER).flat()
    const world = await stage.world()
    await refill(world, backlog)
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
      await draining(web, first)
      const stretches = {
        draining: () => withoutSteal(() => draining(web, seconds)),
        quiet: () => withoutSteal(async () => ({ times: await load(requests, seconds) })),
        elsewhere: () => draining(other, 2 * seconds),
      }
      const taken = await repeated(small ? 1 : rounds, async () => {
        await refill(world, backlog)
        await load(requests, first)
        const { draining, quiet, elsewhere } = await inOrder([...order, 'elsewhere'], stretches)
        return { draining: together(draining), quiet: together(quiet), elsewhere: together(elsewhere) }
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
      const p99 = (of) => taken.map((round) => percentile(round[of].times, 99))
      const medians = (of) => taken.map((round) => median(round[of].times))
      return {
        'app.p99': result(ratios(p99('draining'), p99('quiet')), [
          figure('while draining, 99th percentile', 'ms', p99('draining')),
          figure('with nothing to send, 99th percentile', 'ms', p99('quiet')),
          figure('while another process drains on the same cores, 99th percentile', 'ms', p99('elsewhere')),
          figure('while draining, median', 'ms', medians('draining')),
          figure('with nothing to send, median', 'ms', medians('quiet')),
          figure(
            'drained meanwhile',
            'events/s',
            taken.map(({ draining }) => draining.perSecond),
          ),
          figure(
            `stretches of ${order.length} measured again, for cores that others had meanwhile`,
            '',
            taken.map(({ draining, quiet }) => draining.discarded + quiet.discarded),
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

/** Stretches as one. */
function together(stretches) {
  return {
    times: stretches.flatMap(({ times }) => times),
    perSecond: mean(stretches.map(({ perSecond = 0 }) => perSecond)),
    discarded: sum(stretches.map(({ discarded = 0 }) => discarded)),
  }
}

/** Another process drains at full speed: nothing would be left for the next round. */
async function refill(world, backlog) {
  const [{ left }] = await world.query(
    `SELECT count(*)::int AS left FROM outbox_message WHERE status = 'pending'`,
  )
  await world.pending(backlog - left)
  await world.settle()
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
