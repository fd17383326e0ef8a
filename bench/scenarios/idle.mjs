import { figure, interleaved, mean, ratios, result, timed } from '../lib/measure.mjs'

export const scenario = {
  results: {
    idle: {
      what:
        'Time of a tick (the look for due sources, which is one statement) with 10,000 enabled sources and nothing to do ' +
        '÷ with 10. Both tables hold 20,000 delivered messages.',
      goal: { atMost: 2 },
    },
  },
  async run(stage, { small, rounds }) {
    const worlds = {
      many: await sources(stage, small ? 1000 : 10_000, small),
      few: await sources(stage, 10, small),
    }
    try {
      const ticks = small ? 50 : 500
      const tick = async ({ outbox }) => {
        const times = []
        for (let i = 0; i < ticks; i++) times.push(await timed(() => outbox.drain()))
        return mean(times)
      }
      const times = await interleaved(rounds, { many: () => tick(worlds.many), few: () => tick(worlds.few) })
      return {
        idle: result(ratios(times.many, times.few), [
          figure('a tick, many sources', 'ms', times.many),
          figure('a tick, 10 sources', 'ms', times.few),
        ]),
      }
    } finally {
      for (const { world } of Object.values(worlds)) await world.end()
    }
  },
}

async function sources(stage, count, small) {
  const world = await stage.world({ portals: 10 })
  await world.delivered(small ? 2000 : 20_000)
  // Their keys are never decrypted, since nothing is sent for them.
  await world.query(
    `WITH more AS (
       INSERT INTO segment_source (source_id, portal_id, region, write_key_ciphertext, write_key_secret_id, write_key_last_four)
       SELECT gen_random_uuid(), 'quiet-' || i, 'us', '\\x00', 'k1', '0000' FROM generate_series(1, $1::int) AS i
       RETURNING source_id
     )
     INSERT INTO source_delivery (source_id) SELECT source_id FROM more`,
    [count - 10],
  )
  await world.settle()
  return { world, outbox: world.outbox() }
}
