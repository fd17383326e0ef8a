import http from 'node:http'
import https from 'node:https'

/** What was seen on the wire of one request: the only authority on its outcome (I5). */
export type Observation =
  | {
      kind: 'response'
      status: number
      /** Those of the answer's headers that bear on an outcome; an answer may echo secrets in others. */
      headers: ResponseHeaders
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
      /** Whether it is these messages that cannot be sent, or nothing of this source. */
      about: 'messages' | 'source'
      message: string
      ms: number
    }

export type ResponseHeaders = Readonly<Partial<Record<(typeof KEPT_HEADERS)[number], string>>>

export interface ExchangeRequest {
  method: 'GET' | 'POST'
  url: string
  headers: Record<string, string>
  body?: string | Uint8Array
  /** Milliseconds from the call to the last byte of the answer. Past it the connection is destroyed. */
  timeoutMs: number
  /** Connections to reuse. Default: a connection of its own, closed after the answer. */
  agent?: http.Agent
  signal?: AbortSignal
}

const KEPT_HEADERS = ['date', 'retry-after', 'x-ratelimit-reset'] as const
const MAX_BODY = 1_048_576
/**
 * How long a connection is kept without use. A server that closes it in the same moment as we write leaves an
 * outcome nobody can know, so ours has to be the first to go: Node's own servers wait 5 s, load balancers 60 s.
 */
const IDLE_MS = 4000
/** A server that closes sooner than this after our own limit is not trusted with an idle connection at all. */
const IDLE_MARGIN_MS = 1000

/** A connection pool for one scheme, kept alive between requests. Close it with `destroy()`. */
export function createAgent(url: string, maxSockets: number): http.Agent {
  // `timeout` destroys idle connections only: on a busy one it merely emits, and `exchange` has its own timer.
  const options = { keepAlive: true, maxSockets, scheduling: 'lifo', timeout: IDLE_MS } as const
  return isSecure(url) ? new https.Agent(options) : new http.Agent(options)
}

/**
 * One HTTP request and all that was seen of it. Never throws and never follows a redirect (a 301 re-issued as a GET
 * would be answered 200 and lose the batch). Resolves only when nothing more can arrive.
 */
export function exchange(request: ExchangeRequest): Promise<Observation> {
  return new Promise((resolve) => new Exchange(request, resolve).begin())
}

class Exchange {
  readonly #started = performance.now()
  #timer: NodeJS.Timeout | undefined
  #outgoing: http.ClientRequest | undefined
  #response: http.IncomingMessage | undefined
  #written = false
  #ended = false
  #chunks: Buffer[] = []
  #length = 0

  constructor(
    private readonly request: ExchangeRequest,
    private readonly resolve: (seen: Observation) => void,
  ) {}

  begin(): void {
    const { timeoutMs, signal, body } = this.request
    if (signal?.aborted) {
      this.#abort()
      return
    }
    const late = () => this.#giveUp('TIMEOUT', `no complete answer within ${timeoutMs} ms`)
    this.#timer = setTimeout(late, timeoutMs)
    signal?.addEventListener('abort', this.#abort)
    try {
      this.#outgoing = this.#open()
      this.#outgoing.end(body)
    } catch (error) {
      this.#failed(error as NodeJS.ErrnoException)
    }
  }

  #open(): http.ClientRequest {
    const { method, url, headers, body, agent = false } = this.request
    const { request: open } = isSecure(url) ? https : http
    const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }
    // Without Accept-Encoding a server may compress, and a compressed success would not be read as one.
    const outgoing = open(url, {
      method,
      headers: { 'Accept-Encoding': 'identity', ...headers, ...length },
      agent,
    })
    outgoing.on('socket', (socket) => {
      // Bytes leave as soon as the connection stands; on a kept-alive one that is now. One that is destroyed already
      // failed in the same breath as it was made: no such name, no route.
      if (socket.connecting) socket.once(isSecure(url) ? 'secureConnect' : 'connect', this.#leave)
      else if (!socket.destroyed) this.#leave()
    })
    outgoing.on('response', (incoming) => this.#read(incoming))
    outgoing.on('error', (error) => this.#failed(error))
    // After an upgrade that nobody asked for, no error tells of the end.
    outgoing.on('close', () => this.#giveUp('CLOSED', 'the connection closed without an answer'))
    return outgoing
  }

  #read(incoming: http.IncomingMessage): void {
    this.#response = incoming
    const closesAfter = /\btimeout=(\d+)/.exec(String(incoming.headers['keep-alive']))?.[1]
    const soon = closesAfter !== undefined && Number(closesAfter) * 1000 < IDLE_MS + IDLE_MARGIN_MS
    if (soon && this.#outgoing) this.#outgoing.shouldKeepAlive = false
    incoming.on('data', (chunk: Buffer) => {
      this.#length += chunk.length
      if (this.#length <= MAX_BODY) this.#chunks.push(chunk)
      else this.#answered(incoming, false)
    })
    incoming.on('end', () => this.#answered(incoming, incoming.complete))
    incoming.on('error', () => this.#answered(incoming, false))
    incoming.on('close', () => this.#answered(incoming, incoming.complete))
  }

  #answered(incoming: http.IncomingMessage, complete: boolean): void {
    if (this.#ended) return
    const headers: Partial<Record<string, string>> = {}
    for (const name of KEPT_HEADERS) {
      const value = incoming.headers[name]
      if (value !== undefined) headers[name] = String(value)
    }
    const body = Buffer.concat(this.#chunks).toString('utf8')
    this.#end({
      kind: 'response',
      status: incoming.statusCode ?? 0,
      headers,
      body,
      complete,
      ms: this.#elapsed(),
    })
    // An answer that came before the request was sent whole: writing on would hold the connection for as long as the
    // server likes, and the next request must not follow half of this one.
    if (!complete || !this.#outgoing?.writableFinished) this.#outgoing?.destroy()
  }

  #failed({ code = 'UNKNOWN', message }: NodeJS.ErrnoException): void {
    if (this.#response) {
      this.#answered(this.#response, false)
    } else {
      this.#end({
        kind: 'error',
        code,
        message: message || code,
        written: this.#written,
        ms: this.#elapsed(),
      })
    }
  }

  /** Ends it here and now: a request that still waits for a place in the pool would not even notice `destroy()`. */
  #giveUp(code: string, message: string): void {
    this.#failed(Object.assign(new Error(message), { code }))
    this.#outgoing?.destroy()
  }

  /** The first ending counts; the events that come after it change nothing. */
  #end(seen: Observation): void {
    if (this.#ended) return
    this.#ended = true
    clearTimeout(this.#timer)
    this.request.signal?.removeEventListener('abort', this.#abort)
    this.resolve(seen)
  }

  readonly #leave = () => {
    this.#written = true
  }

  readonly #abort = () => this.#giveUp('ABORTED', 'the request was given up')

  #elapsed(): number {
    return Math.round(performance.now() - this.#started)
  }
}

function isSecure(url: string): boolean {
  return url.startsWith('https:')
}
