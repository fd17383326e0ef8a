import type http from 'node:http'
import type { Region } from '../../entities'
import { reached } from '../steps'
import { apiHost, type HostOptions } from './hosts'
import { createAgent, exchange, type Observation } from './http-client'
import type { LaidOut, OutgoingMessage } from './layout'
import { layoutThread } from './layout-thread'
import { redacted } from './redact'

/** What a request is sent as: the source's write key, decrypted for this turn only. */
export interface Credentials {
  readonly sourceId: string
  readonly region: Region
  readonly writeKey: string
}

export interface SenderOptions extends HostOptions {
  /** Milliseconds from the call of `send` to the last byte of the answer, what is left of laying out included. */
  timeoutMs: number
  /** Requests out at the same time; sizes the connection pool. */
  concurrency: number
}

/** A batch that is being laid out, ahead of the moment at which it may be sent. Nothing is sent without `send`. */
export interface Prepared {
  /** Sends the batch in one request, or not at all, and tells what was seen on the wire. Never throws. Call it once. */
  send(signal?: AbortSignal): Promise<Observation>
}

/**
 * How long a layout may wait for `send`, in milliseconds. The client writes the moment of sending into it, by which
 * Segment corrects the messages' times: they would be off by as much as it waits.
 */
const FRESH_MS = 1000

/**
 * Sends batches through the official client, with our own HTTP client beneath it as the authority on what happened.
 * The client lays the request out and does nothing else: its retries, timers, callbacks and notion of success each
 * lose or falsify outcomes (docs/segment.md lists how).
 */
export class Sender {
  readonly #options: SenderOptions
  readonly #agents = new Map<string, http.Agent>()

  constructor(options: SenderOptions) {
    this.#options = options
  }

  /** Starts what the first batch would have to wait for. Not needed before `send`, and never throws. */
  open(): void {
    try {
      layoutThread.join(this)
    } catch {
      // No thread can be started here: each batch tries, and its source rests with the reason.
    }
  }

  /** Begins to lay out a batch, and returns at once. */
  prepare(to: Credentials, messages: readonly OutgoingMessage[]): Prepared {
    const begun = performance.now()
    const early = this.#layOut(to, messages)
    return {
      send: async (signal) => {
        const stale = performance.now() - begun > FRESH_MS
        return this.#send(to, stale ? this.#layOut(to, messages) : early, signal)
      },
    }
  }

  /** Sends one batch in one request, or not at all, and tells what was seen on the wire. Never throws. */
  send(to: Credentials, messages: readonly OutgoingMessage[], signal?: AbortSignal): Promise<Observation> {
    return this.prepare(to, messages).send(signal)
  }

  /** Lets go of the thread and closes the kept-alive connections. A later `send` opens new ones. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy()
    this.#agents.clear()
    layoutThread.leave(this)
  }

  /** Never rejects: a thread that ended has sent nothing. */
  #layOut({ region, writeKey }: Credentials, messages: readonly OutgoingMessage[]): Promise<LaidOut | Error> {
    const { timeoutMs } = this.#options
    const options = { writeKey, host: apiHost(this.#options, region), timeoutMs }
    return layoutThread.layOut(this, messages, options).catch((error: Error) => error)
  }

  async #send(to: Credentials, layout: Promise<LaidOut | Error>, signal?: AbortSignal): Promise<Observation> {
    const { timeoutMs } = this.#options
    // One deadline for the whole way: laying out must not make the request outlive the lease.
    const ends = performance.now() + timeoutMs
    const laidOut = await givenUp(layout, timeoutMs, signal)
    const seen = await this.#post(to, laidOut, ends, signal)
    return redacted(seen, to.writeKey)
  }

  async #post(
    { region }: Credentials,
    laidOut: LaidOut | Error | GivenUp,
    ends: number,
    signal?: AbortSignal,
  ): Promise<Observation> {
    const { timeoutMs } = this.#options
    if (!(laidOut instanceof Error) && laidOut.kind === 'request') reached('send:before')
    const left = Math.ceil(ends - performance.now())
    const ms = timeoutMs - left
    if (laidOut instanceof Error) return notSent('THREAD', laidOut.message, ms)
    if (laidOut.kind === 'unsent') return { ...laidOut, ms }
    if (laidOut.kind === 'aborted') return notSent('ABORTED', 'the request was given up', ms)
    // Late, or paused until now: the lease may be lost, and another process sending the same batch.
    if (laidOut.kind === 'late' || left <= 0) {
      return notSent('TIMEOUT', `no time of ${timeoutMs} ms was left to send it in`, ms)
    }
    const { url, headers, body } = laidOut
    const agent = this.#agent(apiHost(this.#options, region))
    return exchange({ method: 'POST', url, headers, body, timeoutMs: left, agent, signal })
  }

  #agent(host: string): http.Agent {
    const agent = this.#agents.get(host) ?? createAgent(host, this.#options.concurrency)
    this.#agents.set(host, agent)
    return agent
  }
}

type GivenUp = { readonly kind: 'aborted' } | { readonly kind: 'late' }

/** What `layout` becomes, unless the time is over or the signal aborts before. */
function givenUp<Result>(
  layout: Promise<Result>,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Result | GivenUp> {
  return new Promise((resolve) => {
    const end = (result: Result | GivenUp) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      resolve(result)
    }
    const abort = () => end({ kind: 'aborted' })
    const timer = setTimeout(() => end({ kind: 'late' }), timeoutMs)
    signal?.addEventListener('abort', abort)
    if (signal?.aborted) abort()
    else void layout.then(end)
  })
}

function notSent(code: string, message: string, ms: number): Observation {
  return { kind: 'error', code, message, written: false, ms }
}
