import { officialClient } from '../lib/official-client.mjs'

/**
 * The official client behind a handler that gets one message at a time and has to know that it arrived: messages of
 * handlers that run at the same time share requests. By the client's events, since its callbacks come 300 ms late.
 */
export function clientInHandler({ url, writeKey, together }) {
  const client = officialClient({ url, writeKey, flushAt: together, flushInterval: 10 })
  const waiting = new Map()
  client.on('track', ({ event }) => {
    waiting.get(event.messageId)?.()
    waiting.delete(event.messageId)
  })
  return {
    send: (message) =>
      new Promise((resolve) => {
        waiting.set(message.messageId, resolve)
        client.track(message)
      }),
    close: () => client.closeAndFlush(),
  }
}
