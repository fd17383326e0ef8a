import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http'

/** What a careful HTTP client sees: a whole answer, a broken one, or none. */
export interface Seen {
  status?: number
  headers?: IncomingHttpHeaders
  body?: string
  /** The code of the error that ended it. */
  error?: string
}

/** Sends one request on a connection of its own; never rejects. */
export function send(
  method: string,
  url: string,
  options: { body?: string | Buffer; headers?: OutgoingHttpHeaders; signal?: AbortSignal } = {},
): Promise<Seen> {
  return new Promise((resolve) => {
    const seen: Seen = {}
    const fail = (error: NodeJS.ErrnoException) => resolve({ ...seen, error: error.code ?? error.name })
    const outgoing = request(url, { method, agent: false, headers: options.headers, signal: options.signal })
    outgoing.on('error', fail)
    outgoing.on('response', (response) => {
      seen.status = response.statusCode
      seen.headers = response.headers
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        seen.body = (seen.body ?? '') + chunk
      })
      response.on('error', fail)
      response.on('end', () => resolve(seen))
    })
    outgoing.end(options.body)
  })
}

export const get = (url: string) => send('GET', url)

export const basic = (writeKey: string) => ({ authorization: `Basic ${btoa(`${writeKey}:`)}` })

/** Sends JSON to a tracking path of `host` with a write key in the header. */
export function post(
  host: string,
  path: string,
  writeKey: string,
  body: unknown,
  signal?: AbortSignal,
): Promise<Seen> {
  const headers = { ...basic(writeKey), 'content-type': 'application/json' }
  return send('POST', `${host}${path}`, { headers, body: JSON.stringify(body), signal })
}

export const track = (messageId: string, fields: object = {}) => ({
  type: 'track',
  event: 'Began Test',
  userId: 'user-1',
  messageId,
  ...fields,
})

/** Sends a batch and returns what the sender saw. */
export function postBatch(
  host: string,
  writeKey: string,
  messages: object[],
  signal?: AbortSignal,
): Promise<Seen> {
  return post(host, '/v1/batch', writeKey, { batch: messages, sentAt: new Date().toISOString() }, signal)
}
