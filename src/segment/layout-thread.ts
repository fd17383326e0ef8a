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

/**
 * Heap for young objects, in MiB. The client makes 13 KB of garbage for each message; with V8's default the collector
 * copies a batch again and again while it is laid out (measured: a fifth to a third of the thread's time).
 */
const YOUNG_MB = 96

/**
 * The thread that the official client works in: 40 to 90 µs of CPU for each message, which would otherwise hold up the
 * requests of the application's own users. It is started by the first batch, keeps no process alive while it has
 * nothing to do, and one that ends is replaced by the next batch.
 */
export class LayoutThread {
  #worker: Worker | undefined
  #lastId = 0
  readonly #waiting = new Map<
    number,
    { resolve: (laidOut: LaidOut) => void; reject: (error: Error) => void }
  >()

  /** See `layOut`. Rejects where the thread ends before it has answered. */
  layOut(messages: readonly OutgoingMessage[], options: LayOutOptions): Promise<LaidOut> {
    return new Promise((resolve, reject) => {
      this.#worker ??= this.#start()
      const worker = this.#worker
      const id = ++this.#lastId
      this.#waiting.set(id, { resolve, reject })
      worker.ref()
      worker.postMessage({ id, messages, options } satisfies LayoutQuestion)
    })
  }

  /** Ends the thread. A later batch starts another. */
  async close(): Promise<void> {
    await this.#worker?.terminate()
  }

  #start(): Worker {
    const worker = new Worker(require.resolve('./layout-thread-entry.js'), {
      name: 'synap-outbox',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    })
    worker.on('message', ({ id, laidOut }: LayoutAnswer) => {
      this.#waiting.get(id)?.resolve(laidOut)
      this.#waiting.delete(id)
      if (this.#waiting.size === 0) worker.unref()
    })
    let cause: unknown
    worker.on('error', (error) => {
      cause = error
    })
    worker.on('exit', (code) => {
      if (this.#worker === worker) this.#worker = undefined
      for (const { reject } of this.#waiting.values()) {
        reject(new Error(`the thread that lays requests out ended (exit code ${code})`, { cause }))
      }
      this.#waiting.clear()
    })
    return worker
  }
}
