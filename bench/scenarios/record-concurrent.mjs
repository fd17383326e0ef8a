import { randomUUID } from 'node:crypto'
import { bareInsert, createBareTable } from '../lib/bare-insert.mjs'
import { submittedTest } from '../lib/events.mjs'
import { figure, interleaved, ratios, result } from '../lib/measure.mjs'

const WRITERS = 16

export const scenario = {
  results: {
    'record.concurrent': {
      what:
        `Business transactions per second of ${WRITERS} writers, each recording an event, while the dispatcher of the ` +
        'same process drains ÷ the same without recording at all.',
      goal: { atLeast: 0.7 },
    },
  },
  async run(stage, { small, rounds }) {
    const world = await stage.world({ poolSize: WRITERS + 4 })
    const seconds = small ? 1 : 8
    try {
      const outbox = world.outbox()
      await createBareTable(world)
      const recording = async () => {
        await stage.sink.reset()
        await outbox.start()
        const count = await write(world, seconds, (tx, { portalId }) =>
          outbox.track(tx, 'Submitted Test', submittedTest(portalId)),
        )
        await outbox.drain()
        await outbox.stop()
        await stage.sink.expect(count, 'the outbox')
        return count / seconds
      }
      const inserting = async () => (await write(world, seconds, bareInsert)) / seconds
      const bare = async () => (await write(world, seconds, async () => {})) / seconds
      await recording() // warm
      const speeds = await interleaved(rounds, { recording, inserting, bare })
      return {
        'record.concurrent': result(ratios(speeds.recording, speeds.bare), [
          figure('recording and draining', 'transactions/s', speeds.recording),
          figure('not recording', 'transactions/s', speeds.bare),
          figure(
            'a bare insert of the same bytes into a table like the outbox’s instead, never drained ÷ not recording',
            '',
            ratios(speeds.inserting, speeds.bare),
          ),
        ]),
      }
    } finally {
      await world.end()
    }
  },
}

/** Committed business transactions. */
async function write({ dataSource, portals }, seconds, record) {
  const [portal] = portals
  const until = performance.now() + seconds * 1000
  let count = 0
  const writer = async () => {
    while (performance.now() < until) {
      await dataSource.transaction(async (tx) => {
        await tx.query('INSERT INTO bench_business VALUES ($1, $2, now(), 18)', [
          randomUUID(),
          portal.portalId,
        ])
        await record(tx, portal)
      })
      count++
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, writer))
  return count
}
