import { figure, interleaved, ratios, result } from '../lib/measure.mjs'

/** Vacuums; between two of them a thirtieth of the rows is new. */
const ROUNDS = 30

export const scenario = {
  results: {
    storage: {
      what:
        'Bytes of outbox_message and its indexes per delivered event, after a plain VACUUM ÷ bytes of its body as JSON ' +
        'text. Events are written pending, drained and vacuumed thirty times over: as often as autovacuum comes with the ' +
        "table's settings. The size of event that fares worse counts.",
      goal: { atMost: 2 },
    },
  },
  async run(stage, { small, rounds }) {
    const portion = small ? 50 : 1000
    const sizes = ['small', 'large']
    const measured = await interleaved(
      small ? 1 : Math.min(rounds, 2),
      Object.fromEntries(sizes.map((size) => [size, () => bytes(stage, size, portion)])),
    )
    const of = (size, field) => measured[size].map((each) => each[field])
    const figures = sizes.flatMap((size) => [
      figure(`${size} event, the table`, 'bytes', of(size, 'heap')),
      figure(`${size} event, its indexes`, 'bytes', of(size, 'indexes')),
      figure(`${size} event, its body`, 'bytes', of(size, 'body')),
      figure(`${size} event, its share of the batch history, not counted`, 'bytes', of(size, 'batch')),
    ])
    const results = sizes.map((size) => {
      const total = measured[size].map(({ heap, indexes }) => heap + indexes)
      return result(ratios(total, of(size, 'body')), figures)
    })
    return { storage: results.sort((a, b) => b.value - a.value)[0] }
  },
}

async function bytes(stage, size, portion) {
  const world = await stage.world()
  try {
    const outbox = world.outbox()
    for (let i = 0; i < ROUNDS; i++) {
      await world.pending(portion, { size })
      await world.drain(outbox, portion)
      await world.query('VACUUM outbox_message')
    }
    const [row] = await world.query(
      `SELECT count(*)::int AS n, pg_table_size('outbox_message')::float8 AS heap, pg_indexes_size('outbox_message')::float8 AS indexes,
              sum(octet_length(body::text))::float8 AS body, pg_total_relation_size('outbox_batch')::float8 AS batch
       FROM outbox_message WHERE status = 'delivered'`,
    )
    if (row.n !== portion * ROUNDS) throw new Error(`${row.n} of ${portion * ROUNDS} events are delivered`)
    const each = (total) => total / row.n
    return { heap: each(row.heap), indexes: each(row.indexes), body: each(row.body), batch: each(row.batch) }
  } finally {
    await world.end()
  }
}
