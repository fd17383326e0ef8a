import { setImmediate as nextTurn } from 'node:timers/promises'
import { Analytics } from '@segment/analytics-node'
import type { MessageType } from '../../entities'
import type { LaidOut, LayOutOptions, OutgoingMessage } from './layout'

/** Messages handed to the client in one go: 60–90 µs each, so that other batches get their turn after about 2 ms. */
const SLICE = 25

const TYPES: readonly MessageType[] = ['track', 'identify', 'page', 'group']

/**
 * What the client is told of every request, whatever became of it: to retry, to wait and to report is not its
 * business, and a 200 is the one answer after which it does none of them.
 */
const DONE = { status: 200, statusText: 'OK', headers: {} }

/**
 * Has the official client lay out messages as one request, and sends nothing.
 *
 * Each batch has a client of its own: making one costs 7 µs (measured; one message costs it 60 to 90), and then
 * nothing that an earlier batch left behind in it can ever be sent with a later one. Never rejects.
 */
export function layOutEach(
  messages: readonly OutgoingMessage[],
  options: LayOutOptions,
): Promise<LaidOut<string>> {
  return new Promise((resolve) => {
    try {
      new Layout(messages, options, resolve).begin()
    } catch (error) {
      // The client's constructor: no host or write key that it can work with.
      resolve({ kind: 'unsent', about: 'source', message: `the client cannot be used: ${text(error)}` })
    }
  })
}

class Layout {
  readonly #analytics: Analytics
  readonly #timer: NodeJS.Timeout
  /** Until the request is laid out, or the batch given up. From then on nothing that the client still holds counts. */
  #open = true

  constructor(
    private readonly messages: readonly OutgoingMessage[],
    { writeKey, host, timeoutMs }: LayOutOptions,
    private readonly resolve: (laidOut: LaidOut<string>) => void,
  ) {
    this.#analytics = new Analytics({
      writeKey,
      host,
      maxRetries: 0,
      maxRateLimitDuration: 0,
      flushAt: messages.length, // the batch goes out when it is whole, and not sooner
      flushInterval: timeoutMs, // only ever ends for what was given up
      httpRequestTimeout: timeoutMs,
      httpClient: { makeRequest: (request) => this.#request(request) },
    })
    this.#timer = setTimeout(() => this.#giveUp({ kind: 'late' }), timeoutMs)
  }

  begin(): void {
    // A message of which the client reports an end before any request went out is one that it would never send.
    this.#analytics.on('error', ({ reason }) => this.#refuse(`the client refused a message: ${text(reason)}`))
    for (const type of TYPES) {
      this.#analytics.on(type, () => this.#refuse('the client left a message out, and would report it sent'))
    }
    if (this.messages.length === 0) this.#refuse('the batch is empty')
    else void this.#handOver()
  }

  async #handOver(): Promise<void> {
    try {
      for (let at = 0; at < this.messages.length; at += SLICE) {
        if (at > 0) await nextTurn()
        if (!this.#open) return
        for (const { messageId, type, body } of this.messages.slice(at, at + SLICE)) {
          this.#analytics[type]({ ...(JSON.parse(body) as object), messageId } as never)
        }
      }
    } catch (error) {
      this.#refuse(`the client refused a message: ${text(error)}`)
    }
  }

  /** Called by the client in place of fetch. */
  async #request({ url, headers, body }: { url: string; headers: Record<string, string>; body: string }) {
    if (!this.#open) return DONE
    if (!holdsExactly(body, this.messages)) {
      this.#refuse('the client would have sent other messages than asked')
      return DONE
    }
    this.#close()
    this.resolve({ kind: 'request', url, headers, body })
    return DONE
  }

  #refuse(message: string): void {
    this.#giveUp({ kind: 'unsent', about: 'messages', message })
  }

  #giveUp(end: LaidOut<string>): void {
    if (!this.#open) return
    this.#close()
    this.resolve(end)
    // What the client holds comes to `#request`, which ignores it; else its flush timer would outlive the batch.
    setImmediate(() => void this.#analytics.flush())
  }

  #close(): void {
    this.#open = false
    clearTimeout(this.#timer)
  }
}

/** Whether the request's body holds these messages, all of them, in this order, and no others. */
function holdsExactly(body: string, messages: readonly OutgoingMessage[]): boolean {
  try {
    const { batch } = JSON.parse(body) as { batch: { messageId?: unknown }[] }
    return (
      batch.length === messages.length && batch.every((sent, i) => sent.messageId === messages[i]?.messageId)
    )
  } catch {
    return false
  }
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
