// Prunes from when it is told to start until it is told to stop, and tells how many messages it removed.
import { openOutbox } from './open-outbox.mjs'

const { outbox } = await openOutbox()
let pruning
process.on('message', async ({ start, stop }) => {
  if (start) {
    pruning = outbox.prune()
    process.send({})
  }
  if (stop) {
    await outbox.stop() // ends pruning after its chunk
    const { messages = 0 } = (await pruning) ?? {}
    process.send({ removed: messages })
  }
})
process.send({ ready: true })
