import { figure, interleaved, ratios, result } from '../lib/measure.mjs'
import { drainPeer, PEERS } from '../peers/index.mjs'

export const scenario = {
  results: {
    'drain.pinned': {
      what:
        'Events per second while another session holds the vacuum horizon for the whole run, as a long report or a backup ' +
        'does ÷ without. The peers under the same condition are shown, and a transaction that has written as well: it ' +
        'also holds back the low-water mark, since what it recorded could still appear below it.',
      goal: { atLeast: 0.9 },
    },
  },
  async run(stage, { small, rounds }) {
    const count = small ? 2000 : 100_000
    const peerCount = small ? 500 : 8000
    const world = await stage.world()
    try {
      const outbox = world.outbox()
      const drain = async (hold) => {
        await world.query('TRUNCATE outbox_message, outbox_batch')
        await world.pending(count)
        await world.settle()
        const release = hold ? await holdHorizon(stage, world, hold) : async () => {}
        return world.drain(outbox, count).finally(release)
      }
      await drain() // warm
      const ours = await interleaved(rounds, {
        free: () => drain(),
        pinned: () => drain('SELECT count(*) FROM outbox_message'),
        written: () => drain('SELECT pg_current_xact_id()'),
      })
      const peers = []
      for (const peer of PEERS) {
        const hold = (database) => holdHorizon(stage, database, 'SELECT 1')
        const speeds = await interleaved(small ? 1 : Math.min(rounds, 3), {
          free: () => drainPeer(stage, peer, peerCount),
          pinned: () => drainPeer(stage, peer, peerCount, hold),
        })
        peers.push(figure(`${peer.name}, pinned ÷ not`, '', ratios(speeds.pinned, speeds.free)))
      }
      return {
        'drain.pinned': result(ratios(ours.pinned, ours.free), [
          figure('the outbox, pinned', 'events/s', ours.pinned),
          figure('the outbox, not pinned', 'events/s', ours.free),
          figure('the outbox, by a transaction that has written ÷ not', '', ratios(ours.written, ours.free)),
          ...peers,
        ]),
      }
    } finally {
      await world.end()
    }
  },
}

/** Begins a transaction that sees everything as it is now, and stays. Returns how to end it. */
async function holdHorizon(stage, database, statement) {
  const session = await stage.session(database)
  await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
  await session.query(statement)
  return async () => {
    await session.query('ROLLBACK')
    await session.end()
  }
}
