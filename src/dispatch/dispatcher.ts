import { AsyncResource } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import os from 'node:os'
import { GivingWay } from './giving-way'
import { type Lease, releaseLease, takeLeases } from './lease'
import { Lingering } from './lingering'
import { LowWaterMark } from './low-water-mark'
import type { TurnReport } from './settling'
import { type TurnOptions, type TurnParts, takeTurn } from './turn'

export interface DispatcherOptions extends TurnOptions {
  /** Sources that are served at the same time. */
  readonly concurrency: number
  /** Least time from the start of one turn of a source that sends all it has to that of the next, in milliseconds. */
  readonly lingerMs: number
  /** How many times as long as a batch's statements took its source rests after it, while it gives way. */
  readonly giveWay: number
}

/** A turn that is being taken. */
interface Serving {
  /** Whether somebody woke its source since it began. */
  woken: boolean
  ended: Promise<void>
}

/** What was done since a moment; see `drain()`. */
export type DispatchReport = Omit<TurnReport, 'more' | 'released' | 'restMs'> & { turns: number }

/**
 * Gives due sources their turns, up to `concurrency` at once. `wake()` is a hint that there may be work; it is cheap,
 * never throws, and any number of calls during a look are one more look.
 */
export class Dispatcher {
  /** Shown as the lease's owner. */
  readonly owner = `${os.hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`
  readonly #parts: TurnParts
  readonly #options: DispatcherOptions
  readonly #serving = new Map<string, Serving>()
  readonly #lingering: Lingering
  readonly #givingWay: GivingWay
  /** One for each source that was served: what a turn has learned, the next one builds on. */
  readonly #marks = new Map<string, LowWaterMark>()
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
  /** Whether until `stop()`; or else only while something drains. */
  #started = false
  #running = false
  #draining = 0
  #looking = false
  #looked: Promise<void> = Promise.resolve()
  #wakes = 0
  #failed: unknown

  constructor(parts: Omit<TurnParts, 'givingWay' | 'othersMayWait'>, options: DispatcherOptions) {
    this.#givingWay = new GivingWay(options.giveWay)
    const othersMayWait = () => this.#serving.size >= options.concurrency
    this.#parts = { ...parts, givingWay: this.#givingWay, othersMayWait }
    this.#options = options
    this.#lingering = new Lingering(() => this.#look())
    parts.events.on('resting', ({ sourceId, delayMs }) => this.#retryIn(sourceId, delayMs))
  }

  start(): void {
    this.#started = true
    this.#run()
  }

  #run(): void {
    if (!this.#running) this.#stopping = new AbortController()
    this.#running = true
    this.#givingWay.begin()
    this.wake()
  }

  /** Takes no new turns, lets the requests that are out come back, settles them, and gives the leases back. */
  async stop(): Promise<void> {
    this.#started = false
    this.#running = false
    this.#stopping.abort()
    for (const retry of this.#retries) clearTimeout(retry)
    this.#retries.clear()
    this.#lingering.end()
    this.#givingWay.end()
    await this.#quiet()
  }

  /**
   * There may be something to send: for these sources, or for any. What was committed for one that is being served, or
   * that lingers, goes out right after, without a look of its own.
   */
  wake(sourceIds?: readonly string[]): void {
    const asked = new Set(sourceIds)
    for (const [sourceId, serving] of this.#serving) {
      if (asked.delete(sourceId) || !sourceIds) serving.woken = true
    }
    for (const sourceId of asked) if (this.#lingering.wake(sourceId)) asked.delete(sourceId)
    if (!sourceIds) this.#lingering.end()
    if (!sourceIds || asked.size > 0) this.#look()
  }

  /** Messages of these sources were committed by this process. */
  committed(sourceIds: readonly string[]): void {
    this.#givingWay.committed(sourceIds)
    this.wake(sourceIds)
  }

  /** Runs until nothing is due, whether started or not, and tells what was done. Throws what made a look fail. */
  async drain(): Promise<DispatchReport> {
    const before = { ...this.#totals }
    this.#failed = undefined
    this.#draining++
    this.#run()
    await this.#quiet()
    this.#draining--
    // Not where it was started meanwhile, and not under another drain.
    if (!this.#started && this.#draining === 0) await this.stop()
    if (this.#failed !== undefined) throw this.#failed
    const done = Object.entries(this.#totals).map(([name, n]) => [
      name,
      n - before[name as keyof DispatchReport],
    ])
    return Object.fromEntries(done) as DispatchReport
  }

  async #quiet(): Promise<void> {
    while (this.#looking || this.#serving.size > 0) {
      await Promise.all([this.#looked, ...[...this.#serving.values()].map(({ ended }) => ended)])
    }
  }

  #look(): void {
    this.#wakes++
    if (!this.#running || this.#looking) return
    this.#looking = true
    this.#looked = this.#context.runInAsyncScope(() => this.#lookAround())
  }

  /**
   * Takes leases until none is due, every place is taken, or nothing woke us since the last look. One that filled the
   * places there were may have left others due, and of the turns that end meanwhile none looks again but the first.
   */
  async #lookAround(): Promise<void> {
    try {
      let seen: number
      let filled: boolean
      do {
        seen = this.#wakes
        const places = this.#options.concurrency - this.#serving.size
        if (places <= 0) return // the next turn to end looks again
        const { leaseMs } = this.#options
        const but = [...this.#serving.keys(), ...this.#lingering.sourceIds]
        const leases = await takeLeases(this.#parts.db, this.owner, leaseMs, places, but)
        for (const lease of leases) this.#begin(lease)
        filled = leases.length === places
      } while ((filled || seen !== this.#wakes) && this.#running)
    } catch (error) {
      this.#failed = error
      this.#parts.events.emit('error', { error, during: 'lease' }) // the schedule tries again
    } finally {
      // In the same breath as the last comparison above: a wake-up in between would be lost.
      this.#looking = false
    }
  }

  #begin(lease: Lease): void {
    const { sourceId } = lease
    const lingersUntil = performance.now() + this.#options.lingerMs
    const serving: Serving = { woken: false, ended: Promise.resolve() }
    this.#serving.set(sourceId, serving)
    serving.ended = this.#turn(lease).then(({ more, released, restMs }) => {
      const full = this.#serving.size >= this.#options.concurrency
      this.#serving.delete(sourceId)
      // Looked at while we held it, the source seemed taken: whoever woke us since is still unserved.
      const due = more || serving.woken
      const lingers = released && this.#running && this.#draining === 0
      const lingerMs = lingers ? Math.max(restMs, lingersUntil - performance.now()) : 0
      if (lingerMs > 0) this.#lingering.begin(sourceId, lingerMs, due)
      if (full || (due && lingerMs <= 0)) this.#look()
    })
  }

  async #turn(lease: Lease): Promise<Pick<TurnReport, 'more' | 'released' | 'restMs'>> {
    const { db, events } = this.#parts
    let end = { more: false, released: false, restMs: 0 }
    try {
      const report = await takeTurn(this.#parts, lease, this.#mark(lease), this.#stopping.signal)
      end = report
      this.#totals.turns++
      for (const name of ['requests', 'delivered', 'dead', 'uncertain', 'postponed'] as const) {
        this.#totals[name] += report[name]
      }
    } catch (error) {
      this.#failed = error
      events.emit('error', { error, during: 'turn' })
    }
    if (end.released) return end
    try {
      return { ...end, more: (await releaseLease(db, lease)) || end.more }
    } catch (error) {
      events.emit('error', { error, during: 'release' })
      return end
    }
  }

  #mark({ sourceId, readFrom }: Lease): LowWaterMark {
    const mark = this.#marks.get(sourceId) ?? new LowWaterMark()
    this.#marks.set(sourceId, mark)
    mark.startFrom(readFrom)
    return mark
  }

  /** The schedule would find a rested source too, but seconds later. */
  #retryIn(sourceId: string, delayMs: number): void {
    if (!this.#running) return
    const retry = setTimeout(
      () => {
        this.#retries.delete(retry)
        this.wake([sourceId]) // its turn may not have ended yet
      },
      Math.min(delayMs + 1, 2_147_483_647),
    )
    retry.unref()
    this.#retries.add(retry)
  }
}
