import type { EntityManager } from 'typeorm'
import { Database } from './database'
import { Dispatcher, type DispatchReport } from './dispatch/dispatcher'
import { Schedule } from './dispatch/schedule'
import { InvalidCallError } from './errors'
import { Events, logEvents, type OutboxEvents } from './events'
import { checkSchema } from './operate/check-schema'
import { type DiscardReport, discard } from './operate/discard'
import { type PruneReport, prune } from './operate/prune'
import { type RedriveOptions, type RedriveReport, redrive } from './operate/redrive'
import type { Responsibility, Selection } from './operate/selection'
import { type OutboxOptions, type ResolvedOptions, resolveOptions } from './options'
import type { EventName, Plan } from './plan/define-plan'
import { synapPlan } from './plan/synap-plan'
import type { AnyCall, GroupCall, IdentifyCall, PageCall, Recorded, TrackCall } from './record/calls'
import { prepareCall } from './record/prepare'
import { writeMessages } from './record/record'
import { Transactions } from './record/transactions'
import { Sender } from './segment/sender'
import { Sources } from './sources/sources'
import { WriteKeyCipher } from './sources/write-key-cipher'

/**
 * Creates the outbox of an application. Nothing runs until `start()`; recording works without it, and what is recorded
 * waits. Throws OptionsError or SecretKeyError.
 */
export function createOutbox<P extends Plan = typeof synapPlan>(options: OutboxOptions<P>): Outbox<P> {
  const resolved = resolveOptions(options)
  return new Outbox<P>(resolved, (options.plan ?? synapPlan) as P)
}

/** A transactional outbox for Segment. Made by `createOutbox`. */
export class Outbox<P extends Plan = typeof synapPlan> {
  /** The portals' Segment integrations. */
  readonly sources: Sources
  readonly #plan: P
  readonly #options: ResolvedOptions
  readonly #db: Database
  readonly #events = new Events()
  readonly #sender: Sender
  readonly #dispatcher: Dispatcher
  readonly #transactions: Transactions
  readonly #schedules: readonly Schedule[]
  #stopping = new AbortController()

  /** @internal Use `createOutbox`. */
  constructor(options: ResolvedOptions, plan: P) {
    const { dataSource, segment, dispatcher, retention } = options
    this.#options = options
    this.#plan = plan
    this.#db = new Database(dataSource, options.schema)
    if (options.logger) logEvents(this.#events, options.logger)
    const cipher = new WriteKeyCipher(options.secretKeys)
    this.#sender = new Sender({ ...segment, concurrency: dispatcher.concurrency })
    const parts = {
      db: this.#db,
      sender: this.#sender,
      cipher,
      events: this.#events,
      options: { ...dispatcher, timeoutMs: segment.timeoutMs },
    }
    this.#dispatcher = new Dispatcher(parts, parts.options)
    const wake = () => this.#dispatcher.wake()
    this.sources = new Sources(this.#db, cipher, segment, wake)
    this.#transactions = new Transactions(dataSource, wake)
    this.#schedules = [
      new Schedule(dispatcher.cron, wake, this.#events),
      // A failure is reported by prune() itself. Let go unhandled, its rejection would end the application's process.
      new Schedule(retention.cron, () => this.prune().then(nothing, nothing), this.#events),
    ]
  }

  /**
   * Records that something happened, in the caller's transaction: rolled back with it, committed with it.
   *
   * One round trip. The call is copied before this returns, so later changes to it change nothing. Recording the same
   * fact again (same source, event and natural key) is one message. A call that cannot be sent is stored dead and
   * reported, and does not fail the transaction, unless `invalid: 'throw'`.
   *
   * @param tx the manager of the open transaction; throws NoTransactionError for any other. Await the call.
   */
  async track<E extends EventName<P>>(tx: EntityManager, event: E, call: TrackCall<P, E>): Promise<Recorded> {
    return this.#one(tx, call, { type: 'track', event })
  }

  /** Records who a user is: their traits. Each call is a message of its own. See `track` for the transaction. */
  async identify(tx: EntityManager, call: IdentifyCall<P>): Promise<Recorded> {
    return this.#one(tx, call, { type: 'identify' })
  }

  /** Records that a page was viewed. Each call is a message of its own. See `track` for the transaction. */
  async page(tx: EntityManager, call: PageCall<P>): Promise<Recorded> {
    return this.#one(tx, call, { type: 'page' })
  }

  /** Records that a user belongs to a group. Each call is a message of its own. See `track` for the transaction. */
  async group(tx: EntityManager, call: GroupCall<P>): Promise<Recorded> {
    return this.#one(tx, call, { type: 'group' })
  }

  /** Records many calls in one statement, in their order. Results are in the order of the calls. */
  async record(tx: EntityManager, calls: readonly AnyCall<P>[]): Promise<Recorded[]> {
    return this.#record(tx, calls)
  }

  /**
   * Starts dispatching and pruning on their schedules. Throws SchemaError where the database is not fit for it.
   * Several processes may do so: leases share the sources out between them.
   */
  async start(): Promise<void> {
    this.#transactions.attach()
    await checkSchema(this.#db)
    this.#stopping = new AbortController()
    this.#dispatcher.start()
    for (const schedule of this.#schedules) schedule.start()
  }

  /**
   * Stops: no new requests; those that are out come back and are settled (at most `segment.timeoutMs`), and leases are
   * given back. What waits stays for the next start. Safe to call twice, during `drain()`, and before `start()`.
   */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all([...this.#schedules.map((schedule) => schedule.stop()), this.#dispatcher.stop()])
    this.#sender.close()
  }

  /** Sends until nothing is due (sources that rest after a failure are not) and tells what it did. */
  async drain(): Promise<DispatchReport> {
    return this.#dispatcher.drain()
  }

  /**
   * Sends dead messages again, under their old ids. Those that Segment may have accepted already (`uncertain`) need an
   * explicit choice, `inDoubt`. Diverted messages were never sendable: record a corrected call instead. Audited.
   */
  async redrive(selection: Selection, options: RedriveOptions): Promise<RedriveReport> {
    const report = await redrive(this.#db, selection, options)
    if (report.redriven > 0) this.#dispatcher.wake()
    return report
  }

  /** Gives messages up, with a reason: dead, uncertain, and pending ones that Segment cannot have. Audited. */
  async discard(selection: Selection, by: Responsibility): Promise<DiscardReport> {
    const report = await discard(this.#db, selection, by)
    this.#dispatcher.wake()
    return report
  }

  /** Removes settled messages that are past their retention, in bounded chunks. */
  async prune(): Promise<PruneReport> {
    try {
      const report = await prune(this.#db, this.#options.retention, this.#stopping.signal)
      if (report.messages + report.batches > 0) this.#events.emit('pruned', report)
      return report
    } catch (error) {
      this.#events.emit('error', { error, during: 'prune' })
      throw error
    }
  }

  /** Listens to what happens. Returns a function that stops listening. */
  on<E extends keyof OutboxEvents>(event: E, listener: (payload: OutboxEvents[E]) => void): () => void {
    return this.#events.on(event, listener)
  }

  async #one(tx: EntityManager, call: unknown, kind: { type: string; event?: unknown }): Promise<Recorded> {
    const [result] = await this.#record(tx, [call], kind)
    return result as Recorded
  }

  /** Everything up to the first `await` happens in the caller's turn: misuse throws, and the calls are copied. */
  async #record(
    tx: EntityManager,
    calls: readonly unknown[],
    kind?: { type: string; event?: unknown },
  ): Promise<Recorded[]> {
    const runner = this.#transactions.require(tx)
    const prepared = calls.map((call) => prepareCall(this.#plan, call, kind))
    if (this.#options.invalid === 'throw') {
      const bad = prepared.find((call) => call.problems.length > 0)
      if (bad) throw new InvalidCallError(`The ${bad.type} call ${bad.event ?? ''}`.trim(), bad.problems)
    }
    if (prepared.length === 0) return []
    const { results, sourceIds } = await writeMessages(runner, this.#db.tables, prepared)
    this.#transactions.note(runner, sourceIds)
    for (const [i, { problems, portal_id: portalId, event }] of prepared.entries()) {
      const { messageId } = results[i] ?? {}
      if (problems.length > 0) this.#events.emit('diverted', { portalId, messageId, event, problems })
    }
    return results
  }
}

function nothing(): void {}
