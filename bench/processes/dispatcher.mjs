// Drains when it is told to, and tells how far its heap grew meanwhile.
import { openOutbox } from './open-outbox.mjs'

/** Milliseconds between two looks at the heap. */
const LOOK_MS = 20

const { outbox } = await openOutbox()
process.on('message', async ({ drain, start, stop }) => {
  if (drain) {
    globalThis.gc()
    const before = process.memoryUsage().heapUsed
    let peak = before
    const look = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().heapUsed)
    }, LOOK_MS)
    const report = await outbox.drain()
    clearInterval(look)
    globalThis.gc()
    process.send({ ...report, peakBytes: peak - before, leftBytes: process.memoryUsage().heapUsed - before })
  }
  if (start) {
    await outbox.start()
    process.send({})
  }
  if (stop) {
    await outbox.stop()
    process.send({})
  }
})
process.send({ ready: true })
