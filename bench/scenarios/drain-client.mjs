import { Pool } from 'undici'
import { messages } from '../lib/events.mjs'
import { figure, interleaved, median, ratios, result, timed } from '../lib/measure.mjs'
import { officialClient, sendFromMemory } from '../lib/official-client.mjs'

/** The client's best batch size is looked for, not assumed. */
const BATCH_SIZES = [50, 100, 250, 500]

export const scenario = {
  results: {
    'drain.client': {
      what:
        'Events per second from the table to Segment, one portal, ÷ the official client alone sending the same events ' +
        'from memory at its best batch size, one request in flight. The size of event that fares worse counts.',
      goal: { atLeast: 0.9 },
    },
  },
  async run(stage, { small, rounds }) {
    const world = await stage.world()
    try {
      const perSize = []
      for (const [size, full] of [
        ['small', 50_000],
        ['large', 12_000],
      ]) {
        perSize.push(await compare(stage, world, size, small ? 3000 : full, rounds))
      }
      const figures = perSize.flatMap((each) => each.figures)
      const results = perSize.map(({ values }) => result(values, figures))
      return { 'drain.client': results.sort((a, b) => a.value - b.value)[0] }
    } finally {
      await world.end()
    }
  },
}

async function compare(stage, world, size, count, rounds) {
  const { sink } = stage
  const [{ writeKey }] = world.portals
  const outbox = world.outbox()
  const sent = messages(count, size)
  const perSecond = (ms) => (count / ms) * 1000

  const client = async (batch) => {
    await sink.reset()
    const analytics = officialClient({ url: sink.url, writeKey, flushAt: batch })
    const ms = await timed(() => sendFromMemory(analytics, sent, batch))
    await analytics.closeAndFlush()
    await sink.expect(count, 'the official client')
    return perSecond(ms)
  }
  const bareUndici = async () => {
    const bodies = batches(sent, 250).map((batch) => JSON.stringify({ batch, writeKey }))
    await sink.reset()
    const pool = new Pool(sink.url, { connections: 1 })
    const headers = { 'content-type': 'application/json' }
    const ms = await timed(async () => {
      for (const body of bodies) {
        const answer = await pool.request({ path: '/v1/batch', method: 'POST', headers, body })
        await answer.body.text()
      }
    })
    await pool.close()
    await sink.expect(count, 'undici')
    return perSecond(ms)
  }
  const ours = async () => {
    await world.query('TRUNCATE outbox_message, outbox_batch')
    await world.pending(count, { size })
    await world.settle()
    return world.drain(outbox, count)
  }

  await ours() // warm
  const best = await bestBatchSize(client)
  const speeds = await interleaved(rounds, { ours, client: () => client(best), bareUndici })
  return {
    values: ratios(speeds.ours, speeds.client),
    figures: [
      figure(`${size} events, the outbox`, 'events/s', speeds.ours),
      figure(`${size} events, the client alone, ${best} a request`, 'events/s', speeds.client),
      figure(`${size} events, bare undici, ready bodies of 250`, 'events/s', speeds.bareUndici),
      figure(`${size} events, ratio`, '', ratios(speeds.ours, speeds.client)),
    ],
  }
}

async function bestBatchSize(client) {
  await client(BATCH_SIZES[0]) // warm
  const speeds = await interleaved(
    3,
    Object.fromEntries(BATCH_SIZES.map((size) => [size, () => client(size)])),
  )
  return BATCH_SIZES.toSorted((a, b) => median(speeds[b]) - median(speeds[a]))[0]
}

function batches(all, size) {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))
}
