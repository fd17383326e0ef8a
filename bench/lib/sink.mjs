import { fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'

/** Starts the stand-in for Segment in a process of its own. */
export async function startSink() {
  const child = fork(path.join(import.meta.dirname, 'sink-process.mjs'))
  const [{ url }] = await once(child, 'message')
  const answers = new Map()
  let lastId = 0
  child.on('message', ({ id, ...answer }) => {
    answers.get(id)?.(answer)
    answers.delete(id)
  })
  const ask = (question) =>
    new Promise((resolve) => {
      answers.set(++lastId, resolve)
      child.send({ id: lastId, ...question })
    })
  return {
    url,
    /**
     * Forgets what arrived.
     * @param settings `responseDelayMs` for every request, `delays` by write key, `keepArrivals` to keep each time
     */
    reset: (settings = {}) => ask({ reset: settings }),
    /** What has arrived: `accepted` different messageIds, `duplicates`, `requests`, `bytes`. */
    seen: () => ask({}),
    /** `[messageId, milliseconds since the epoch]` of everything that arrived. */
    arrivals: async () => (await ask({ arrivals: true })).arrivals,
    /** Throws unless exactly `count` events arrived, each once. A figure without that means nothing. */
    async expect(count, who) {
      const { accepted, duplicates } = await ask({})
      if (accepted !== count || duplicates > 0) {
        throw new Error(`${who}: ${accepted} of ${count} events arrived, ${duplicates} of them twice`)
      }
    },
    async close() {
      child.disconnect()
      if (child.exitCode === null) await once(child, 'exit')
    },
  }
}
