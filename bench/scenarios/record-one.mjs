import { randomUUID } from 'node:crypto'
import { bareInsert, createBareTable } from '../lib/bare-insert.mjs'
import { submittedTest } from '../lib/events.mjs'
import { figure, mean, ratios, result, timed } from '../lib/measure.mjs'

export const scenario = {
  results: {
    'record.one': {
      what:
        'A business transaction (begin, one insert, commit) that records one event ÷ the same with a bare insert of ' +
        'the same bytes into a table like the outbox’s (same columns and indexes), through the same TypeORM manager. ' +
        'The two take turns, transaction by transaction; the slower of the two event sizes counts.',
      goal: { atMost: 1.15 },
    },
  },
  async run(stage, { small, rounds }) {
    const world = await stage.world()
    try {
      await createBareTable(world)
      const outbox = world.outbox()
      const sizes = {}
      for (const size of ['small', 'large']) {
        await compare(world, outbox, size, 50) // warm
        const count = small ? 100 : 1500
        sizes[size] = { recorded: [], bare: [] }
        for (let round = 0; round < rounds; round++) {
          const { recorded, bare } = await compare(world, outbox, size, count)
          sizes[size].recorded.push(recorded)
          sizes[size].bare.push(bare)
        }
      }
      const [{ recorded, stored }] = await world.query(
        `SELECT (SELECT count(*)::int FROM outbox_message) AS recorded, (SELECT count(*)::int FROM bare_message) AS stored`,
      )
      if (recorded !== stored) throw new Error(`${recorded} events were recorded, and ${stored} stored`)
      const values = Object.values(sizes).map((size) => ratios(size.recorded, size.bare))
      const figures = Object.entries(sizes).flatMap(([size, { recorded, bare }]) => [
        figure(`${size} event, recorded`, 'ms', recorded),
        figure(`${size} event, bare insert`, 'ms', bare),
        figure(`${size} event, ratio`, '', ratios(recorded, bare)),
      ])
      return { 'record.one': worst(values, figures) }
    } finally {
      await world.end()
    }
  },
}

/** The result of the size that fares worse. */
function worst(values, figures) {
  return values.map((value) => result(value, figures)).sort((a, b) => b.value - a.value)[0]
}

/** Mean milliseconds of each kind of transaction. */
async function compare(world, outbox, size, count) {
  const { dataSource, portals } = world
  const [portal] = portals
  const { portalId } = portal
  const times = { recorded: [], bare: [] }
  const business = (tx) =>
    tx.query('INSERT INTO bench_business VALUES ($1, $2, now(), 18)', [randomUUID(), portalId])
  for (let i = 0; i < count; i++) {
    const recorded = () =>
      timed(() =>
        dataSource.transaction(async (tx) => {
          await business(tx)
          await outbox.track(tx, 'Submitted Test', submittedTest(portalId, size))
        }),
      )
    const bare = () =>
      timed(() =>
        dataSource.transaction(async (tx) => {
          await business(tx)
          await bareInsert(tx, portal, size)
        }),
      )
    if (i % 2 === 0) times.recorded.push(await recorded())
    times.bare.push(await bare())
    if (i % 2 === 1) times.recorded.push(await recorded())
  }
  return { recorded: mean(times.recorded), bare: mean(times.bare) }
}
