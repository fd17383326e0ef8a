import { submittedTest } from '../lib/events.mjs'
import { figure, mean, ratios, result, timed } from '../lib/measure.mjs'

const MANY = 100

export const scenario = {
  results: {
    'record.many': {
      what:
        `Recording ${MANY} events in one call ÷ recording 1, the call alone. The two take turns, call by call, each in ` +
        'a transaction of its own.',
      goal: { atMost: 6 },
    },
  },
  async run(stage, { small, rounds }) {
    const world = await stage.world()
    try {
      const outbox = world.outbox()
      await compare(world, outbox, 20) // warm
      const results = { many: [], one: [], manyWhole: [], oneWhole: [] }
      for (let round = 0; round < rounds; round++) {
        const means = await compare(world, outbox, small ? 30 : 400)
        for (const [name, value] of Object.entries(means)) results[name].push(value)
      }
      return {
        'record.many': result(ratios(results.many, results.one), [
          figure(`${MANY} events, the call`, 'ms', results.many),
          figure('1 event, the call', 'ms', results.one),
          figure(
            `${MANY} events ÷ 1, the whole transaction`,
            '',
            ratios(results.manyWhole, results.oneWhole),
          ),
        ]),
      }
    } finally {
      await world.end()
    }
  },
}

async function compare({ dataSource, portals }, outbox, count) {
  const [{ portalId }] = portals
  const record = async (events) => {
    const calls = Array.from({ length: events }, () => ({
      type: 'track',
      event: 'Submitted Test',
      ...submittedTest(portalId),
    }))
    let call
    const whole = await timed(() =>
      dataSource.transaction(async (tx) => {
        await tx.query('SELECT 1') // the transaction is open on the server
        call = await timed(async () => {
          const results = await outbox.record(tx, calls)
          if (results.some(({ outcome }) => outcome !== 'recorded'))
            throw new Error('an event was not recorded')
        })
      }),
    )
    return { call, whole }
  }
  const [many, one] = [[], []]
  for (let i = 0; i < count; i++) {
    many.push(await record(MANY))
    one.push(await record(1))
  }
  return {
    many: mean(many.map(({ call }) => call)),
    one: mean(one.map(({ call }) => call)),
    manyWhole: mean(many.map(({ whole }) => whole)),
    oneWhole: mean(one.map(({ whole }) => whole)),
  }
}
