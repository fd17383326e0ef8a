import PgBoss from 'pg-boss'
import { officialClient, sendFromMemory } from '../lib/official-client.mjs'

const QUEUE = 'segment'
const BATCH = 500

export const pgBoss = {
  name: 'pg-boss 10',
  isFast: true,
  settings:
    `fetch and complete in a loop, batchSize ${BATCH}: its documented way for workers of one's own. work() would pause ` +
    'up to half a second between batches. priority: false, which it documents as faster',
  async prepare({ url }, messages) {
    const boss = await open(url)
    await boss.createQueue(QUEUE)
    for (let at = 0; at < messages.length; at += 1000) {
      await boss.insert(messages.slice(at, at + 1000).map((data) => ({ name: QUEUE, data })))
    }
    await boss.stop({ graceful: false })
  },
  async start({ url }, { url: host, writeKey }) {
    const boss = await open(url)
    const client = officialClient({ url: host, writeKey, flushAt: BATCH })
    let going = true
    const loop = (async () => {
      while (going) {
        const jobs = await boss.fetch(QUEUE, { batchSize: BATCH, priority: false })
        if (jobs.length === 0) return
        await sendFromMemory(
          client,
          jobs.map(({ data }) => data),
          BATCH,
        )
        await boss.complete(
          QUEUE,
          jobs.map(({ id }) => id),
        )
      }
    })()
    return async () => {
      going = false
      await loop
      await client.closeAndFlush()
      await boss.stop({ graceful: false })
    }
  },
}

async function open(connectionString) {
  const boss = new PgBoss({ connectionString, supervise: false, schedule: false })
  await boss.start()
  return boss
}
