import type http from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Analytics } from '@segment/analytics-node'
import type { MessageType, Region } from '../../entities'
import type { JsonObject } from '../record/snapshot'
import { reached } from '../steps'
import { apiHost, type HostOptions } from './hosts'
import { createAgent, exchange, type Observation } from './http-client'
import { BATCH_MESSAGES } from './limits'
import { judge } from './verdict'

export interface OutgoingMessage {
  readonly messageId: string
  readonly type: MessageType
  readonly body: JsonObject
}

/** What a request is sent as: the source's write key, decrypted for this turn only. */
export interface Credentials {
  readonly sourceId: string
  readonly region: Region
  readonly writeKey: string
}

export interface SenderOptions extends HostOptions {
  /** Milliseconds from the start of a request to the last byte of its answer. */
  timeoutMs: number
  /** Requests out at the same time; sizes the connection pool. */
  concurrency: number
}

/** Messages handed to the client before the event loop gets a turn: 60–90 µs each, so a slice is about 2 ms. */
const SLICE = 25
/** Clients kept for sources that were sent for lately. A client costs a few kilobytes and no timers while idle. */
const MAX_CLIENTS = 128

/**
 * Sends batches through the official client, one client per source, with our own HTTP client beneath it as the
 * authority on what happened. The client's retries, timers, callbacks and notion of success are not used: each of
 * them loses or falsifies outcomes (docs/segment.md lists how).
 */
export class Sender {
  readonly #options: SenderOptions
  readonly #clients = new Map<string, SegmentClient>()
  readonly #agents = new Map<string, http.Agent>()

  constructor(options: SenderOptions) {
    this.#options = options
  }

  /** Sends one batch and tells what was seen on the wire. One call at a time for a source. Never throws. */
  async send(
    to: Credentials,
    messages: readonly OutgoingMessage[],
    signal?: AbortSignal,
  ): Promise<Observation> {
    const client = this.#client(to)
    const seen = await client.send(messages, signal)
    if (client.stuck) this.#clients.delete(to.sourceId)
    return redacted(seen, to.writeKey)
  }

  /** Closes the kept-alive connections. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy()
    this.#agents.clear()
    this.#clients.clear()
  }

  #client(to: Credentials): SegmentClient {
    const host = apiHost(this.#options, to.region)
    let client = this.#clients.get(to.sourceId)
    if (client?.writeKey !== to.writeKey || client.host !== host) {
      client = new SegmentClient(to.writeKey, host, this.#options.timeoutMs, this.#agent(host))
    }
    // Re-inserting keeps the map in order of use, so that the longest unused client is the first.
    this.#clients.delete(to.sourceId)
    this.#clients.set(to.sourceId, client)
    if (this.#clients.size > MAX_CLIENTS) this.#clients.delete(this.#clients.keys().next().value as string)
    return client
  }

  #agent(host: string): http.Agent {
    const agent = this.#agents.get(host) ?? createAgent(host, this.#options.concurrency)
    this.#agents.set(host, agent)
    return agent
  }
}

class SegmentClient {
  /** True once the client did not come back from a flush: what it still holds must not meet another batch. */
  stuck = false
  readonly #analytics: Analytics
  #expected: readonly string[] = []
  #seen: Observation | undefined
  #signal: AbortSignal | undefined

  constructor(
    readonly writeKey: string,
    readonly host: string,
    private readonly timeoutMs: number,
    private readonly agent: http.Agent,
  ) {
    this.#analytics = new Analytics({
      writeKey,
      host,
      maxRetries: 0,
      maxRateLimitDuration: 0,
      flushAt: BATCH_MESSAGES + 1, // only flush() sends: a batch must go out as it was written ahead
      flushInterval: 3_600_000,
      httpRequestTimeout: timeoutMs,
      httpClient: { makeRequest: (request) => this.#request(request) },
    })
  }

  async send(messages: readonly OutgoingMessage[], signal?: AbortSignal): Promise<Observation> {
    this.#expected = messages.map((message) => message.messageId)
    this.#seen = undefined
    this.#signal = signal
    let refused: string | undefined
    for (let at = 0; at < messages.length; at += SLICE) {
      if (at > 0) await nextTurn()
      try {
        for (const message of messages.slice(at, at + SLICE)) this.#handOver(message)
      } catch (error) {
        refused = `the client refused a message: ${error instanceof Error ? error.message : String(error)}`
        this.#expected = [] // what it took already is answered below, and not sent
        break
      }
    }
    const late = 5_000 // beyond our own timeout: the client is stuck, not slow
    await this.#analytics.flush({ timeout: this.timeoutMs + late })
    this.stuck = this.#seen === undefined && refused === undefined
    return this.#seen ?? { kind: 'unsent', message: refused ?? 'the client sent no request for it', ms: 0 }
  }

  /** Called by the client in place of fetch. It is told 200 or a plain 400, which it never retries. */
  async #request(request: { url: string; headers: Record<string, string>; body: string }) {
    if (!holdsExactly(request.body, this.#expected)) {
      this.#seen = { kind: 'unsent', message: 'the client would have sent other messages than asked', ms: 0 }
    } else {
      const { url, headers, body } = request
      reached('send:before')
      const [agent, signal] = [this.agent, this.#signal]
      this.#seen = await exchange({
        method: 'POST',
        url,
        headers,
        body,
        timeoutMs: this.timeoutMs,
        agent,
        signal,
      })
    }
    const accepted = judge(this.#seen).kind === 'accepted'
    return { status: accepted ? 200 : 400, statusText: accepted ? 'OK' : 'see the observation', headers: {} }
  }

  #handOver({ messageId, type, body }: OutgoingMessage): void {
    // The client mutates what it is given, and the body belongs to the batch.
    const call = { ...structuredClone(body), messageId } as never
    this.#analytics[type](call)
  }
}

/** Whether the request's body holds these messageIds, all of them, in this order, and no others. */
function holdsExactly(body: string, messageIds: readonly string[]): boolean {
  let batch: { messageId?: unknown }[]
  try {
    batch = (JSON.parse(body) as { batch: { messageId?: unknown }[] }).batch
  } catch {
    return false
  }
  return batch.length === messageIds.length && batch.every((sent, i) => sent.messageId === messageIds[i])
}

/** An answer may echo the request: the write key must not reach logs or rows that way. */
function redacted(seen: Observation, writeKey: string): Observation {
  const basic = Buffer.from(`${writeKey}:`).toString('base64')
  const clean = (text: string) => text.replaceAll(writeKey, '[write key]').replaceAll(basic, '[write key]')
  return seen.kind === 'response'
    ? { ...seen, body: clean(seen.body) }
    : { ...seen, message: clean(seen.message) }
}
