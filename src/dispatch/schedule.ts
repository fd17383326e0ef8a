import cron, { type ScheduledTask } from 'node-cron'
import type { Events } from '../events'

/** Longest wait before the host's clock is looked at again, in milliseconds. */
const LONGEST_WAIT_MS = 60_000

/**
 * Runs a task on a cron expression, in UTC. A tick is a hint: one that comes while the last is still at work is left
 * out, and what a task throws is reported, never swallowed.
 *
 * node-cron tells when the next tick is; the timer is our own, because node-cron's goes by the host's clock alone.
 * Measured on 4.6.0: set back by ten minutes, the clock stops its ticks for ten minutes; set forward by a day (or after
 * the machine slept for one), it walks through every tick it missed and blocks the event loop for 2 s at a tick each
 * 5 s, 12 s at one each second. Here a tick comes when its time has passed on either clock, once, and the next is
 * planned afresh.
 */
export class Schedule {
  readonly #plan: ScheduledTask
  readonly #task: () => Promise<void> | void
  readonly #events: Events
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #intervalMs: number | undefined
  /** When the last tick came, in milliseconds since the epoch; for watching that ticks come at all. */
  lastTickAt: number | undefined

  constructor(expression: string, task: () => Promise<void> | void, events: Events) {
    this.#plan = cron.createTask(expression, () => undefined, { timezone: 'UTC' }) // never started
    this.#task = task
    this.#events = events
  }

  start(): void {
    if (this.#timer === undefined) this.#planNext()
  }

  /** Longest time between two of the next ticks, in milliseconds: a week has quiet nights in some schedules. */
  get intervalMs(): number {
    this.#intervalMs ??= longestGap(this.#plan.getNextRuns(8).map((run) => run.getTime()))
    return this.#intervalMs
  }

  /** Ends the ticks and waits for the task that is at work. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#running
  }

  tick(): Promise<void> {
    this.lastTickAt = Date.now()
    this.#running ??= this.#run().finally(() => (this.#running = undefined))
    return this.#running
  }

  #planNext(): void {
    const [due = new Date()] = this.#plan.getNextRuns(1)
    this.#waitFor(due.getTime(), performance.now() + due.getTime() - Date.now())
  }

  /** @param due on the host's clock; `dueElapsed`: the same moment on the one that nobody can set */
  #waitFor(due: number, dueElapsed: number): void {
    const left = () => Math.min(due - Date.now(), dueElapsed - performance.now())
    this.#timer = setTimeout(
      () => {
        if (left() > 0) {
          this.#waitFor(due, dueElapsed)
          return
        }
        void this.tick()
        this.#planNext()
      },
      Math.min(Math.max(left(), 1), LONGEST_WAIT_MS),
    )
  }

  async #run(): Promise<void> {
    try {
      await this.#task()
    } catch (error) {
      this.#events.emit('error', { error, during: 'schedule' })
    }
  }
}

function longestGap(moments: readonly number[]): number {
  const gaps = moments.slice(1).map((moment, i) => moment - (moments[i] as number))
  return Math.max(1, ...gaps)
}
