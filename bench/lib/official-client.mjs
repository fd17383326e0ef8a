import { Analytics } from '@segment/analytics-node'

/** The official client as a program would use it that has nothing else: its own retries and its own HTTP. */
export function officialClient({ url, writeKey, flushAt, flushInterval = 10_000 }) {
  return new Analytics({ writeKey, host: url, flushAt, flushInterval, httpRequestTimeout: 20_000 })
}

/** Sends messages from memory, one request in flight, each of `batch` messages. */
export async function sendFromMemory(client, messages, batch) {
  for (let at = 0; at < messages.length; at += batch) {
    const answered = new Promise((resolve) => client.once('http_response', resolve))
    for (const message of messages.slice(at, at + batch)) client.track(message)
    if (at + batch > messages.length) await client.flush()
    else await answered
  }
}
