import { setTimeout as pause } from 'node:timers/promises'
import { messages } from '../lib/events.mjs'
import { timed } from '../lib/measure.mjs'
import { graphileWorker } from './graphile-worker.mjs'
import { pgBoss } from './pg-boss.mjs'
import { pgTransactionalOutbox } from './pg-transactional-outbox.mjs'

/** `isFast`: drains thousands a second, and is given a longer backlog by `drain.peers`. */
export const PEERS = [pgTransactionalOutbox, graphileWorker, pgBoss]

/** How long a peer may take before it counts as stuck. */
const PATIENCE_MS = 300_000

/**
 * Lets a peer drain a backlog of its own, in a database of its own. Its time ends when the last event has arrived, so
 * that what it writes after that is a present to it. Returns events per second.
 *
 * @param whileFilled called with the database before the peer starts; what it returns is called at the end
 */
export async function drainPeer(stage, peer, count, whileFilled = async () => async () => {}) {
  const { sink } = stage
  const database = await stage.createDatabase()
  const target = { url: sink.url, writeKey: 'b'.repeat(32) }
  try {
    await peer.prepare(database, messages(count, 'small'))
    const session = await stage.session(database)
    await session.query('VACUUM (ANALYZE)')
    await session.query('CHECKPOINT')
    await session.end()
    await sink.reset()
    const release = await whileFilled(database)
    let stop
    const ms = await timed(async () => {
      stop = await peer.start(database, target)
      await arrived(sink, count, peer.name)
    })
    await stop()
    await release()
    await sink.expect(count, peer.name)
    return (count / ms) * 1000
  } finally {
    await database.drop()
  }
}

async function arrived(sink, count, who) {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    const { accepted } = await sink.seen()
    if (accepted >= count) return
    if (performance.now() > deadline) throw new Error(`${who}: only ${accepted} of ${count} events arrived`)
    await pause(10)
  }
}
