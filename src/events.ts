import { EventEmitter } from 'node:events'
import type { Verdict } from './segment/verdict'

/**
 * What happens, as typed events. Listeners are told after the fact, synchronously; one that throws or rejects is
 * reported, and harms nothing. A contract: docs/telemetry.md lists every event and field.
 */
export interface OutboxEvents {
  /** A transaction of this process has committed messages for this source. Never told of one that rolls back. */
  recorded: { sourceId: string; portalId: string; messages: number }
  /** A call that cannot be sent was stored dead. The business transaction may still roll back. */
  diverted: { portalId: string | null; messageId?: string; event: string | null; problems: readonly string[] }
  /** An attempt to send a batch has ended. */
  attempt: {
    sourceId: string
    portalId: string
    batchId: string
    messages: number
    /** Which attempt of this batch it was, from 1. */
    attempt: number
    verdict: Verdict['kind']
    /** HTTP status, where there was an answer. */
    status?: number
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
  leaseLost: { sourceId: string; portalId: string; token: string }
  /** An operator has changed messages through this process. */
  operated: {
    action: 'send again' | 'mark delivered' | 'discard' | 'erase'
    messages: number
    actor: string
    reason: string
  }
  /** The canary sent at this moment should be in the source's warehouse, and is not. Told once, until one arrives. */
  canaryLost: { sourceId: string; portalId: string; sentAt: Date }
  /** Settled messages beyond their retention were removed. */
  pruned: { messages: number; batches: number }
  /** Something failed that the dispatcher goes on after by itself. */
  error: {
    error: unknown
    during:
      | 'lease'
      | 'turn'
      | 'release'
      | 'prune'
      | 'schedule'
      | 'heartbeat'
      | 'sample'
      | 'telemetry'
      | 'canary'
      | 'listener'
  }
}

/** A pino-compatible logger. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export class Events {
  /** Any number may listen: Node's warning at eleven is for leaks. */
  readonly #emitter = new EventEmitter().setMaxListeners(0)

  on<E extends keyof OutboxEvents>(event: E, listener: (payload: OutboxEvents[E]) => void): () => void {
    this.#emitter.on(`outbox:${event}`, listener)
    return () => this.#emitter.off(`outbox:${event}`, listener)
  }

  emit<E extends keyof OutboxEvents>(event: E, payload: OutboxEvents[E]): void {
    const failed = (error: unknown) => {
      // A listener of "error" that fails has nobody left to tell.
      if (event !== 'error') this.emit('error', { error, during: 'listener' })
    }
    for (const listener of this.#emitter.listeners(`outbox:${event}`)) {
      try {
        const returned: unknown = listener(payload)
        // An async function passes for a listener; let go unhandled, its rejection would end the process.
        if (returned instanceof Promise) returned.catch(failed)
      } catch (error) {
        failed(error)
      }
    }
  }
}

/** Logging is one subscriber of the events like any other. */
export function logEvents(events: Events, logger: Logger): void {
  events.on('recorded', (e) => logger.debug(e, 'outbox: messages recorded'))
  events.on('diverted', (e) => logger.error(e, 'outbox: a call cannot be sent and was stored dead'))
  events.on('attempt', (e) => logger.debug(e, 'outbox: attempt ended'))
  events.on('settled', (e) => {
    const level = e.outcome === 'delivered' ? 'debug' : 'warn'
    logger[level](e, `outbox: messages ${e.outcome}`)
  })
  events.on('resting', (e) => logger.warn(e, 'outbox: a source rests after a failure'))
  events.on('leaseLost', (e) => logger.warn(e, 'outbox: lease lost, nothing settled'))
  events.on('operated', (e) => logger.info(e, `outbox: operator: ${e.action}`))
  events.on('canaryLost', (e) => logger.error(e, 'outbox: a canary is not in the warehouse'))
  events.on('pruned', (e) => logger.info(e, 'outbox: pruned'))
  events.on('error', ({ error, during }) =>
    logger.error({ err: error, during }, 'outbox: failed, and goes on'),
  )
}
