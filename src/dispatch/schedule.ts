import cron, { type ScheduledTask } from 'node-cron'
import type { Events } from '../events'

/**
 * Runs a task by node-cron, in UTC. A tick is a hint: one that comes while the last is still at work is left out, and
 * what a task throws is reported, never swallowed.
 */
export class Schedule {
  readonly #expression: string
  readonly #task: () => Promise<void> | void
  readonly #events: Events
  #scheduled: ScheduledTask | undefined
  #running: Promise<void> | undefined
  /** When the last tick came, in milliseconds since the epoch; for watching that ticks come at all. */
  lastTickAt: number | undefined

  constructor(expression: string, task: () => Promise<void> | void, events: Events) {
    this.#expression = expression
    this.#task = task
    this.#events = events
  }

  start(): void {
    this.#scheduled ??= cron.schedule(this.#expression, () => this.tick(), {
      timezone: 'UTC',
      noOverlap: true,
      suppressMissedWarning: true, // a busy event loop misses ticks; the next one does what they would have
    })
  }

  /** Ends the ticks and waits for the task that is at work. */
  async stop(): Promise<void> {
    const scheduled = this.#scheduled
    this.#scheduled = undefined
    await scheduled?.destroy()
    await this.#running
  }

  tick(): Promise<void> {
    this.lastTickAt = Date.now()
    this.#running ??= this.#run().finally(() => (this.#running = undefined))
    return this.#running
  }

  async #run(): Promise<void> {
    try {
      await this.#task()
    } catch (error) {
      this.#events.emit('error', { error, during: 'schedule' })
    }
  }
}
