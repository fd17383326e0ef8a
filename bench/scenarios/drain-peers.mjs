import { figure, interleaved, median, ratios, result } from '../lib/measure.mjs'
import { drainPeer, PEERS } from '../peers/index.mjs'

/** Of 10,000, what is fast would spend a good part in starting up. */
const [LONG, SHORT] = [40_000, 10_000]

export const scenario = {
  results: {
    'drain.peers': {
      what:
        'Events per second, one portal, ÷ the best of pg-transactional-outbox, graphile-worker and pg-boss at the same ' +
        'thing: a backlog in the database, the official client in the handler, a message done when it has arrived. ' +
        `The backlog is ${LONG.toLocaleString('en-GB')} for the outbox and for what drains it in seconds, too, and ` +
        `${SHORT.toLocaleString('en-GB')} for the others.`,
      goal: { atLeast: 3 },
    },
  },
  notes: () => PEERS.map(({ name, settings }) => `${name}: ${settings}.`),
  async run(stage, { small, rounds }) {
    const [long, short] = small ? [1000, 1000] : [LONG, SHORT]
    const world = await stage.world()
    try {
      const outbox = world.outbox()
      const ours = async () => {
        await world.query('TRUNCATE outbox_message, outbox_batch')
        await world.pending(long)
        await world.settle()
        return world.drain(outbox, long)
      }
      await ours() // warm
      const peers = Object.fromEntries(
        PEERS.map((peer) => [peer.name, () => drainPeer(stage, peer, peer.isFast ? long : short)]),
      )
      const speeds = await interleaved(rounds, { ours, ...peers })
      const best = PEERS.map(({ name }) => name).toSorted((a, b) => median(speeds[b]) - median(speeds[a]))[0]
      return {
        'drain.peers': result(ratios(speeds.ours, speeds[best]), [
          figure('the outbox', 'events/s', speeds.ours),
          ...PEERS.map(({ name }) => figure(name, 'events/s', speeds[name])),
        ]),
      }
    } finally {
      await world.end()
    }
  },
}
