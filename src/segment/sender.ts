import type http from 'node:http'
import type { Region } from '../../entities'
import { reached } from '../steps'
import { type ClientRequest, handOver, type OutgoingMessage } from './hand-over'
import { apiHost, type HostOptions } from './hosts'
import { createAgent, exchange, type Observation } from './http-client'
import { redacted } from './redact'

/** What a request is sent as: the source's write key, decrypted for this turn only. */
export interface Credentials {
  readonly sourceId: string
  readonly region: Region
  readonly writeKey: string
}

export interface SenderOptions extends HostOptions {
  /** Milliseconds from the call of `send` to the last byte of the answer, the client's own work included. */
  timeoutMs: number
  /** Requests out at the same time; sizes the connection pool. */
  concurrency: number
}

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

  /** Sends one batch in one request, or not at all, and tells what was seen on the wire. Never throws. */
  async send(
    to: Credentials,
    messages: readonly OutgoingMessage[],
    signal?: AbortSignal,
  ): Promise<Observation> {
    const { timeoutMs } = this.#options
    // One deadline for the whole way: a busy event loop during the hand-over must not make it outlive the lease.
    const ends = performance.now() + timeoutMs
    const host = apiHost(this.#options, to.region)
    const post = ({ url, headers, body }: ClientRequest) => {
      reached('send:before')
      const agent = this.#agent(host)
      const left = Math.ceil(ends - performance.now())
      // Paused until now, the process may have lost its lease, and another is sending the same batch.
      if (left <= 0) {
        const message = `no time of ${timeoutMs} ms was left to send it in`
        return Promise.resolve({
          kind: 'error' as const,
          code: 'TIMEOUT',
          message,
          written: false,
          ms: timeoutMs - left,
        })
      }
      return exchange({ method: 'POST', url, headers, body, timeoutMs: left, agent, signal })
    }
    const seen = await handOver(messages, { writeKey: to.writeKey, host, timeoutMs, signal, post })
    return redacted(seen, to.writeKey)
  }

  /** Closes the kept-alive connections. A later `send` opens new ones. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy()
    this.#agents.clear()
  }

  #agent(host: string): http.Agent {
    const agent = this.#agents.get(host) ?? createAgent(host, this.#options.concurrency)
    this.#agents.set(host, agent)
    return agent
  }
}
