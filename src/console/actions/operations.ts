import { randomUUID } from 'node:crypto'
import type { Progress } from '../../operate/audited-change'
import type { ReconcileReport } from '../../reconcile/report'

/** An operation that this process has started and goes on with, whoever looks. */
export interface Operation {
  readonly id: string
  /** What it does, for a heading: "Send again". */
  readonly title: string
  readonly actor: string
  /** For the audit trail. Undefined where nothing is audited: a comparison. */
  readonly reason?: string
  /** The source whose messages are compared with its warehouse. */
  readonly sourceId?: string
  readonly startedAt: Date
  /** How many messages the preview found; it may meet more or fewer. Undefined where nobody has counted. */
  readonly total?: number
  readonly done: number
  readonly state: 'running' | 'done' | 'cancelled' | 'failed'
  readonly endedAt?: Date
  /** In words: what it came to. */
  readonly result?: string
  /** What a comparison found. */
  readonly report?: ReconcileReport
  readonly error?: unknown
}

type Given = Pick<Operation, 'title' | 'actor' | 'reason' | 'sourceId' | 'total'>
type Outcome = Pick<Operation, 'result' | 'report'>
interface Running {
  operation: Operation
  readonly abort: AbortController
}

/** Ended operations that can still be looked at. What they did is in the audit trail for good. */
const KEPT = 100

/**
 * Operations in the background: one on a hundred thousand messages takes longer than a browser waits. They belong to
 * the process and end with it; every chunk of messages is changed whole and audited, or not at all.
 */
export class Operations {
  readonly #all = new Map<string, Running>()
  readonly #onError: (error: unknown) => void

  /** @param onError told of an operation's failure too, since nobody may look at its page */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /** Starts it and returns its id. @param run returns what it came to */
  start(given: Given, run: (progress: Progress) => Promise<Outcome>): string {
    const id = randomUUID()
    const abort = new AbortController()
    const running: Running = {
      operation: { ...given, id, startedAt: new Date(), done: 0, state: 'running' },
      abort,
    }
    this.#all.set(id, running)
    const change = (to: Partial<Operation>) => {
      running.operation = { ...running.operation, ...to }
    }
    const end = (to: Partial<Operation>) => {
      change({ ...to, endedAt: new Date() })
      this.#forgetOldest()
    }
    run({ onProgress: (done) => change({ done }), signal: abort.signal }).then(
      (outcome) => end({ ...outcome, state: abort.signal.aborted ? 'cancelled' : 'done' }),
      (error) => {
        end({ state: 'failed', error })
        this.#onError(error)
      },
    )
    return id
  }

  find(id: string): Operation | undefined {
    return this.#all.get(id)?.operation
  }

  /** What was done with a source's warehouse, the newest first. */
  ofSource(sourceId: string): Operation[] {
    return [...this.#all.values()]
      .flatMap(({ operation }) => (operation.sourceId === sourceId ? operation : []))
      .reverse()
  }

  /** It stops after the chunk that it is at. What is changed stays changed. */
  cancel(id: string): void {
    this.#all.get(id)?.abort.abort()
  }

  #forgetOldest(): void {
    const ended = [...this.#all.values()].filter(({ operation }) => operation.state !== 'running')
    for (const { operation } of ended.slice(0, -KEPT)) this.#all.delete(operation.id)
  }
}
