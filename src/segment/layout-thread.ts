import { Worker } from 'node:worker_threads'
import type { LaidOut, LayOutOptions, OutgoingMessage } from './layout'

export interface LayoutQuestion {
  readonly id: number
  readonly messages: readonly OutgoingMessage[]
  readonly options: LayOutOptions
}

export interface LayoutAnswer {
  readonly id: number
  readonly laidOut: LaidOut
}

/** How long the thread stays when nobody uses it any more, in milliseconds: starting one costs 200 ms of CPU. */
const LINGER_MS = 1000

/**
 * The thread that the official client works in: 40 to 90 µs of CPU for each message, which would otherwise hold up the
 * requests of the application's own users. One for the process, however many outboxes there are in it.
 *
 * It keeps no process alive while it has nothing to do, and ends when all that used it have left. One that ended
 * otherwise is replaced by the next batch.
 */
class LayoutThread {
  #worker: Worker | undefined
  #lastId = 0
  #ending: NodeJS.Timeout | undefined
  readonly #users = new Set<object>()
  readonly #waiting = new Map<
    number,
    { worker: Worker; resolve: (laidOut: LaidOut) => void; reject: (error: Error) => void }
  >()

  /** `user` will lay out messages: has the thread started before the first of them. */
  join(user: object): Worker {
    this.#users.add(user)
    clearTimeout(this.#ending)
    this.#worker ??= this.#start()
    return this.#worker
  }

  /** See `layOut`. Rejects where the thread ends before it has answered. */
  layOut(user: object, messages: readonly OutgoingMessage[], options: LayOutOptions): Promise<LaidOut> {
    return new Promise((resolve, reject) => {
      const worker = this.join(user)
      const id = ++this.#lastId
      this.#waiting.set(id, { worker, resolve, reject })
      worker.ref()
      worker.postMessage({ id, messages, options } satisfies LayoutQuestion)
    })
  }

  /** `user` will lay out no more for now. */
  leave(user: object): void {
    if (!this.#users.delete(user) || this.#users.size > 0) return
    this.#ending = setTimeout(() => void this.end(), LINGER_MS)
    this.#ending.unref()
  }

  /** Ends the thread at once, whoever uses it. A later batch starts another, and does not wait for this one's end. */
  async end(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }

  #start(): Worker {
    const worker = new Worker(require.resolve('./layout-thread-entry.js'), {
      name: 'synap-outbox',
    })
    worker.unref()
    worker.on('message', ({ id, laidOut }: LayoutAnswer) => {
      this.#waiting.get(id)?.resolve(laidOut)
      this.#waiting.delete(id)
      if (this.#askedOf(worker).length === 0) worker.unref()
    })
    let cause: unknown
    worker.on('error', (error) => {
      cause = error
    })
    worker.on('exit', (code) => {
      if (this.#worker === worker) this.#worker = undefined
      for (const [id, { reject }] of this.#askedOf(worker)) {
        this.#waiting.delete(id)
        reject(new Error(`the thread that lays requests out ended (exit code ${code})`, { cause }))
      }
    })
    return worker
  }

  #askedOf(worker: Worker) {
    return [...this.#waiting].filter(([, asked]) => asked.worker === worker)
  }
}

/** The process's. */
export const layoutThread = new LayoutThread()
