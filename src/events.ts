import { EventEmitter } from 'node:events'
import type { Verdict } from './segment/verdict'

/** What happens, as typed events. Listeners are told after the fact; one that throws is reported, and harms nothing. */
export interface OutboxEvents {
  /** Calls that cannot be sent were stored dead. The business transaction may still roll back. */
  diverted: { portalId: string | null; messageId?: string; event: string | null; problems: readonly string[] }
  /** An attempt to send a batch has ended. */
  attempt: {
    sourceId: string
    portalId: string
    batchId: string
    messages: number
    verdict: Verdict['kind']
    reason?: string
    ms: number
  }
  /** Messages have reached their end. */
  settled: {
    sourceId: string
    portalId: string
    batchId: string
    messages: number
    outcome: 'delivered' | 'dead' | 'uncertain' | 'discarded'
    reason?: string
  }
  /** A source rests after a failure. */
  resting: { sourceId: string; portalId: string; failures: number; delayMs: number; reason: string }
  /** This process lost a lease and settled nothing under it. */
  leaseLost: { sourceId: string; token: string }
  /** Settled messages beyond their retention were removed. */
  pruned: { messages: number; batches: number }
  /** Something failed that the dispatcher goes on after by itself. */
  error: { error: unknown; during: 'lease' | 'turn' | 'release' | 'prune' | 'schedule' | 'listener' }
}

/** A pino-compatible logger. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export class Events {
  readonly #emitter = new EventEmitter()

  on<E extends keyof OutboxEvents>(event: E, listener: (payload: OutboxEvents[E]) => void): () => void {
    this.#emitter.on(`outbox:${event}`, listener)
    return () => this.#emitter.off(`outbox:${event}`, listener)
  }

  emit<E extends keyof OutboxEvents>(event: E, payload: OutboxEvents[E]): void {
    for (const listener of this.#emitter.listeners(`outbox:${event}`)) {
      try {
        listener(payload)
      } catch (error) {
        // A listener of "error" that throws has nobody left to tell.
        if (event !== 'error') this.emit('error', { error, during: 'listener' })
      }
    }
  }
}

/** Logging is one subscriber of the events like any other. */
export function logEvents(events: Events, logger: Logger): void {
  events.on('diverted', (e) => logger.error(e, 'outbox: a call cannot be sent and was stored dead'))
  events.on('attempt', (e) => logger.debug(e, 'outbox: attempt ended'))
  events.on('settled', (e) => {
    const level = e.outcome === 'delivered' ? 'debug' : 'warn'
    logger[level](e, `outbox: messages ${e.outcome}`)
  })
  events.on('resting', (e) => logger.warn(e, 'outbox: a source rests after a failure'))
  events.on('leaseLost', (e) => logger.warn(e, 'outbox: lease lost, nothing settled'))
  events.on('pruned', (e) => logger.info(e, 'outbox: pruned'))
  events.on('error', ({ error, during }) =>
    logger.error({ err: error, during }, 'outbox: failed, and goes on'),
  )
}
