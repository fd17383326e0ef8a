import http from 'node:http'
import https from 'node:https'

/** What was seen on the wire of one request: the only authority on its outcome (I5). */
export type Observation =
  | {
      kind: 'response'
      status: number
      headers: Readonly<Record<string, string | string[] | undefined>>
      /** The body's beginning. Bodies beyond 1 MiB are cut and not `complete`. */
      body: string
      /** False when the body was cut, stalled, or too long. */
      complete: boolean
      ms: number
    }
  | {
      kind: 'error'
      code: string
      message: string
      /** Whether any byte of the request may have reached the other side. False only where it certainly has not. */
      written: boolean
      ms: number
    }
  | {
      /** Nothing was sent: the client would not have sent what we asked it to. */
      kind: 'unsent'
      message: string
      ms: number
    }

export interface ExchangeRequest {
  method: 'GET' | 'POST'
  url: string
  headers: Record<string, string>
  body?: string
  /** Milliseconds from the call to the last byte of the answer. Past it the connection is destroyed. */
  timeoutMs: number
  agent?: http.Agent
  signal?: AbortSignal
}

const MAX_BODY = 1_048_576

/** A connection pool for one scheme, kept alive between requests. Close it with `destroy()`. */
export function createAgent(url: string, maxSockets: number): http.Agent {
  const options = { keepAlive: true, maxSockets, scheduling: 'lifo' } as const
  return url.startsWith('https:') ? new https.Agent(options) : new http.Agent(options)
}

/**
 * One HTTP request and all that was seen of it. Never throws and never follows a redirect (a 301 re-issued as a GET
 * would be answered 200 and lose the batch). Resolves only when nothing more can arrive.
 */
export function exchange(request: ExchangeRequest): Promise<Observation> {
  const started = performance.now()
  const elapsed = () => Math.round(performance.now() - started)
  return new Promise((resolve) => {
    let written = false
    let response: http.IncomingMessage | undefined
    const chunks: Buffer[] = []
    let length = 0

    const finish = (observation: Observation) => {
      clearTimeout(timer)
      request.signal?.removeEventListener('abort', abort)
      resolve(observation)
    }
    const answered = (complete: boolean) => {
      const { statusCode = 0, headers = {} } = response ?? {}
      const body = Buffer.concat(chunks).toString('utf8')
      finish({ kind: 'response', status: statusCode, headers, body, complete, ms: elapsed() })
    }
    const failed = (error: NodeJS.ErrnoException) => {
      if (response) return answered(false)
      const { code = 'UNKNOWN', message } = error
      finish({ kind: 'error', code, message: message || code, written, ms: elapsed() })
    }
    const give = (code: string, message: string) =>
      outgoing?.destroy(Object.assign(new Error(message), { code }))
    const abort = () => give('ABORTED', 'the request was given up')
    const timer = setTimeout(
      () => give('TIMEOUT', `no complete answer within ${request.timeoutMs} ms`),
      request.timeoutMs,
    )

    let outgoing: http.ClientRequest | undefined
    try {
      const { request: open } = request.url.startsWith('https:') ? https : http
      const length = request.body === undefined ? {} : { 'Content-Length': Buffer.byteLength(request.body) }
      outgoing = open(request.url, {
        method: request.method,
        headers: { ...request.headers, ...length },
        agent: request.agent,
      })
    } catch (error) {
      return failed(error as NodeJS.ErrnoException)
    }
    request.signal?.addEventListener('abort', abort)
    outgoing.on('socket', (socket) => {
      // Bytes leave as soon as the connection stands; on a kept-alive one that is now.
      const ready = request.url.startsWith('https:') ? 'secureConnect' : 'connect'
      if (socket.connecting) socket.once(ready, () => (written = true))
      else written = true
    })
    outgoing.on('error', failed)
    outgoing.on('response', (incoming) => {
      response = incoming
      incoming.on('data', (chunk: Buffer) => {
        length += chunk.length
        if (length <= MAX_BODY) chunks.push(chunk)
        else outgoing?.destroy()
      })
      incoming.on('end', () => answered(incoming.complete && length <= MAX_BODY))
      incoming.on('error', failed)
      incoming.on('close', () => answered(incoming.complete && length <= MAX_BODY))
    })
    if (request.signal?.aborted) abort()
    outgoing.end(request.body)
  })
}
