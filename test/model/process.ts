import { AsyncLocalStorage } from 'node:async_hooks'
import { createOutbox, type Outbox, type OutboxOptions, type synapPlan } from 'synap-outbox'
import type { DataSource } from 'typeorm'
import type { FenceWatch } from './fence-watch'
import { trace } from './trace'

/** Which process a request on the wire belongs to: an outbox works in the context that it was created in. */
export const inProcess = new AsyncLocalStorage<ModelProcess>()

/**
 * What happens at one of a dispatcher's statements: the process ends before or after it, the statement fails (before
 * or after it took effect) and the process lives on, or others do something first.
 */
export type Disturbance =
  | { how: 'crash-before' | 'crash-after' | 'error-before' | 'error-after' }
  | { how: 'meanwhile'; act: () => Promise<void> }

/** An error that the test has made. */
class Disturbed extends Error {
  readonly driverError: { code: string }

  /** @param code SQLSTATE; a dispatcher whose process is to have ended must not try again, and so is told 42501 */
  constructor(message: string, code: '08006' | '42501') {
    super(message)
    this.driverError = { code }
  }
}

/**
 * One outbox on a DataSource of its own, as a process of the application has it. Between any two of its statements it
 * can be held, failed or ended: to the database and to Segment, that is what a crash at this point looks like.
 */
export class ModelProcess {
  readonly outbox: Outbox
  /** The fencing token under which it last spoke for each source. */
  readonly tokens = new Map<string, string>()
  /** Sources whose next batch is read and not yet on the wire. */
  readonly unsent = new Set<string>()
  /** Errors that no disturbance explains. */
  readonly errors: unknown[] = []
  #armed: { countdown: number; disturbance: Disturbance } | undefined
  #crashed = false
  #statements = 0
  #frozen: Promise<void> | undefined

  constructor(
    readonly name: string,
    readonly dataSource: DataSource,
    fence: FenceWatch,
    options: Omit<OutboxOptions<typeof synapPlan>, 'dataSource'>,
  ) {
    const query = dataSource.query.bind(dataSource)
    const disturbed = async (sql: string, parameters?: unknown[]) => {
      this.#noteToken(parameters)
      trace(`    ${this.name}: ${sql.trim().split(/\s+/, 6).join(' ')} ${parameters?.slice(0, 2)}`)
      this.unsent.delete(String(parameters?.[0]))
      const after = await this.#arrive()
      await this.#frozen
      const answered = fence.begin(parameters)
      this.#statements++
      const answer: unknown = await query(sql, parameters).finally(() => this.#statements--)
      answered(answer)
      if (after) throw after
      if (holdsBatch(answer)) this.unsent.add(String(parameters?.[0]))
      return answer
    }
    Object.assign(dataSource, { query: disturbed })
    this.outbox = inProcess.run(this, () => createOutbox({ ...options, dataSource }))
    this.outbox.on('error', ({ error }) => {
      if (!(error instanceof Disturbed)) this.errors.push(error)
    })
  }

  /** Disturbs its `countdown`-th statement from now, counted from 0. */
  disturb(countdown: number, disturbance: Disturbance): void {
    this.#armed = { countdown, disturbance }
  }

  /** Starts again after a crash, and forgets a disturbance that did not come to pass. */
  restart(): void {
    this.#crashed = false
    this.#armed = undefined
  }

  /** Lets no further statement out until `until`; what is under way comes to an end. */
  freeze(until: Promise<void>): void {
    this.#frozen = until
  }

  /** Whether it waits for an answer of the database, or has read a batch that is not on the wire yet. */
  get isBetween(): boolean {
    return this.#statements > 0 || this.unsent.size > 0
  }

  async drain(): Promise<void> {
    try {
      await this.outbox.drain()
    } catch (error) {
      if (!(error instanceof Disturbed)) throw error
    }
  }

  /** Returns the error to throw when the statement has taken effect. */
  async #arrive(): Promise<Error | undefined> {
    if (this.#crashed) throw new Disturbed('this process has ended', '42501')
    if (!this.#armed || this.#armed.countdown-- > 0) return undefined
    const { disturbance } = this.#armed
    this.#armed = undefined
    if (disturbance.how === 'meanwhile') {
      await disturbance.act()
      return undefined
    }
    if (disturbance.how.startsWith('crash')) this.#crashed = true
    const error = new Disturbed(`disturbed: ${disturbance.how}`, this.#crashed ? '42501' : '08006')
    if (disturbance.how.endsWith('before')) throw error
    return error
  }

  /** Every statement of a turn names its source and its token first. */
  #noteToken([sourceId, token]: readonly unknown[] = []): void {
    if (/^\d+$/.test(String(token))) this.tokens.set(String(sourceId), String(token))
  }
}

/** Whether this is the answer of a statement that has a batch written ahead, or taken up. */
function holdsBatch(answer: unknown): boolean {
  const [row] = answer as { batchId?: string | null; messageId?: string | null; nextId?: string | null }[]
  return Boolean((row?.batchId && row.messageId) || row?.nextId)
}
