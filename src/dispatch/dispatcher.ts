import { AsyncResource } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import os from 'node:os'
import { type Lease, releaseLease, takeLeases } from './lease'
import { type TurnOptions, type TurnParts, type TurnReport, takeTurn, type Wakes } from './turn'

export interface DispatcherOptions extends TurnOptions {
  /** Sources that are served at the same time. */
  readonly concurrency: number
}

/** What was done since a moment; see `drain()`. */
export type DispatchReport = Omit<TurnReport, 'more' | 'released'> & { turns: number }

/**
 * Gives due sources their turns, up to `concurrency` at once. `wake()` is a hint that there may be work; it is cheap,
 * never throws, and any number of calls during a look are one more look.
 */
export class Dispatcher {
  /** Shown as the lease's owner. */
  readonly owner = `${os.hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`
  readonly #parts: TurnParts
  readonly #options: DispatcherOptions
  readonly #turns = new Map<string, Promise<void>>()
  readonly #retries = new Set<NodeJS.Timeout>()
  /** The dispatcher's own asynchronous context: a wake-up must not run in that of the request that committed. */
  readonly #context = new AsyncResource('synap-outbox')
  readonly #totals: DispatchReport = {
    turns: 0,
    requests: 0,
    delivered: 0,
    dead: 0,
    uncertain: 0,
    postponed: 0,
  }
  #stopping = new AbortController()
  #running = false
  #looking = false
  #look: Promise<void> = Promise.resolve()
  #wakes = 0
  #failed: unknown

  constructor(parts: TurnParts, options: DispatcherOptions) {
    this.#parts = parts
    this.#options = options
    parts.events.on('resting', ({ delayMs }) => this.#retryIn(delayMs))
  }

  start(): void {
    this.#stopping = new AbortController()
    this.#running = true
    this.wake()
  }

  /** Takes no new turns, lets the requests that are out come back, settles them, and gives the leases back. */
  async stop(): Promise<void> {
    this.#running = false
    this.#stopping.abort()
    for (const retry of this.#retries) clearTimeout(retry)
    this.#retries.clear()
    await this.#quiet()
  }

  /** There may be something to send. */
  wake(): void {
    this.#wakes++
    if (!this.#running || this.#looking) return
    this.#looking = true
    this.#look = this.#context.runInAsyncScope(() => this.#lookAround())
  }

  /** Runs until nothing is due, whether started or not, and tells what was done. Throws what made a look fail. */
  async drain(): Promise<DispatchReport> {
    const before = { ...this.#totals }
    const started = this.#running
    this.#failed = undefined
    if (!started) this.start()
    else this.wake()
    await this.#quiet()
    if (!started) await this.stop()
    if (this.#failed !== undefined) throw this.#failed
    const done = Object.entries(this.#totals).map(([name, n]) => [
      name,
      n - before[name as keyof DispatchReport],
    ])
    return Object.fromEntries(done) as DispatchReport
  }

  async #quiet(): Promise<void> {
    while (this.#looking || this.#turns.size > 0) await Promise.all([this.#look, ...this.#turns.values()])
  }

  /** Takes leases until none is due, every place is taken, or nothing woke us since the last look. */
  async #lookAround(): Promise<void> {
    try {
      let seen: number
      do {
        seen = this.#wakes
        const places = this.#options.concurrency - this.#turns.size
        if (places <= 0) return // the next turn to end looks again
        const serving = [...this.#turns.keys()]
        const { leaseMs } = this.#options
        const leases = await takeLeases(this.#parts.db, this.owner, leaseMs, places, serving)
        for (const lease of leases) this.#begin(lease)
      } while (seen !== this.#wakes && this.#running)
    } catch (error) {
      this.#failed = error
      this.#parts.events.emit('error', { error, during: 'lease' }) // the schedule tries again
    } finally {
      // In the same breath as the last comparison above: a wake-up in between would be lost.
      this.#looking = false
    }
  }

  #begin(lease: Lease): void {
    const turn = this.#turn(lease).then((again) => {
      this.#turns.delete(lease.sourceId)
      if (again) this.wake()
    })
    this.#turns.set(lease.sourceId, turn)
  }

  /** Returns whether to look for leases again. */
  async #turn(lease: Lease): Promise<boolean> {
    const { db, events } = this.#parts
    let wakesAtRead = this.#wakes
    const wakes: Wakes = {
      reading: () => (wakesAtRead = this.#wakes),
      sinceRead: () => wakesAtRead !== this.#wakes,
    }
    let more = false
    let released = false
    try {
      const report = await takeTurn(this.#parts, lease, this.#stopping.signal, wakes)
      more = report.more
      released = report.released
      this.#totals.turns++
      for (const name of ['requests', 'delivered', 'dead', 'uncertain', 'postponed'] as const) {
        this.#totals[name] += report[name]
      }
    } catch (error) {
      this.#failed = error
      events.emit('error', { error, during: 'turn' })
    }
    try {
      if (!released) more = (await releaseLease(db, lease)) || more
    } catch (error) {
      events.emit('error', { error, during: 'release' })
    }
    // Looked at while we held it, the source seemed taken: whoever woke us since the last read is still unserved.
    const full = this.#turns.size >= this.#options.concurrency
    return more || full || wakes.sinceRead()
  }

  /** The schedule would find a rested source too, but seconds later. */
  #retryIn(delayMs: number): void {
    if (!this.#running) return
    const retry = setTimeout(
      () => {
        this.#retries.delete(retry)
        this.wake()
      },
      Math.min(delayMs + 1, 2_147_483_647),
    )
    retry.unref()
    this.#retries.add(retry)
  }
}
