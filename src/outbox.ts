import type { EntityManager } from 'typeorm'
import { Database } from './database'
import { Dispatcher, type DispatchReport } from './dispatch/dispatcher'
import { Heartbeat } from './dispatch/heartbeat'
import { Schedule } from './dispatch/schedule'
import { undisturbed } from './dispatch/undisturbed'
import { Events, logEvents, type OutboxEvents } from './events'
import { backfill } from './operate/backfill/backfill'
import type { BackfillOptions, BackfillReport, ReadFacts } from './operate/backfill/types'
import { checkSchema } from './operate/check-schema'
import { type DiscardOptions, type DiscardReport, discard } from './operate/discard'
import { type EraseOptions, type EraseReport, erase, type Person } from './operate/erase'
import type { Inspection } from './operate/inspect/inspection'
import { createInspection } from './operate/inspect/inspector'
import { type PruneReport, prune } from './operate/prune'
import { type RedriveOptions, type RedriveReport, redrive } from './operate/redrive'
import { takeSample } from './operate/sample'
import type { Responsibility, Selection } from './operate/selection'
import { type OutboxOptions, type ResolvedOptions, resolveOptions } from './options'
import type { EventName, Plan } from './plan/define-plan'
import { synapPlan } from './plan/synap-plan'
import { Canaries, type CanaryReport } from './reconcile/canary'
import { type ReconcileOptions, reconcile } from './reconcile/reconcile'
import type { ReconcileReport } from './reconcile/report'
import { Warehouses } from './reconcile/warehouses'
import type { AnyCall, GroupCall, IdentifyCall, PageCall, Recorded, TrackCall } from './record/calls'
import { Recorder } from './record/recorder'
import { Transactions } from './record/transactions'
import { Sender } from './segment/sender'
import { Sources } from './sources/sources'
import { WriteKeyCipher } from './sources/write-key-cipher'
import { Telemetry } from './telemetry/telemetry'

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
  /** Where the portals' events end up, to compare with. */
  readonly warehouses: Warehouses
  /** The reading side: what is where, and why. */
  readonly inspect: Inspection
  /** @internal Keys of the console's forms, the same in every process with the same secret keys. */
  readonly deriveKeys: (purpose: string) => Buffer[]
  readonly #plan: P
  readonly #options: ResolvedOptions
  readonly #db: Database
  readonly #events = new Events()
  readonly #sender: Sender
  readonly #dispatcher: Dispatcher
  readonly #transactions: Transactions
  readonly #recorder: Recorder
  readonly #telemetry: Telemetry
  readonly #heartbeat: Heartbeat
  readonly #canaries: Canaries
  readonly #schedules: Readonly<Record<'dispatch' | 'prune' | 'canary' | 'sample', Schedule>>
  /** Set while it dispatches, in milliseconds since the epoch. */
  #startedAt: number | undefined
  #stopping = new AbortController()

  /** @internal Use `createOutbox`. */
  constructor(options: ResolvedOptions, plan: P) {
    const { dataSource, segment, dispatcher, retention } = options
    this.#options = options
    this.#plan = plan
    this.#db = new Database(dataSource, options.schema)
    if (options.logger) logEvents(this.#events, options.logger)
    const cipher = new WriteKeyCipher(options.secretKeys)
    this.deriveKeys = (purpose) => cipher.deriveKeys(purpose)
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
    this.warehouses = new Warehouses(this.#db, cipher)
    this.#canaries = new Canaries(this.#db, this.warehouses, this.#events, wake)
    this.#transactions = new Transactions(dataSource, (recorded) => {
      this.#dispatcher.committed(recorded.map(({ sourceId }) => sourceId))
      for (const messages of recorded) this.#events.emit('recorded', messages)
    })
    this.#recorder = new Recorder({
      plan,
      tables: this.#db.tables,
      transactions: this.#transactions,
      events: this.#events,
      invalid: options.invalid,
    })
    this.#heartbeat = new Heartbeat(this.#db, this.#dispatcher.owner, this.#events)
    const sampling = undisturbed(this.#events, 'sample')
    this.#schedules = {
      dispatch: new Schedule(dispatcher.cron, () => this.#tick(), this.#events),
      // A failure is reported by prune() itself. Let go unhandled, its rejection would end the application's process.
      prune: new Schedule(retention.cron, () => this.prune().then(nothing, nothing), this.#events),
      canary: new Schedule(EACH_MINUTE, () => this.checkCanaries().then(nothing), this.#events),
      sample: new Schedule(EACH_MINUTE, () => sampling(() => takeSample(this.#db)), this.#events),
    }
    this.inspect = createInspection({
      db: this.#db,
      dedupWindowMs: dispatcher.dedupWindowMs,
      secretIds: cipher.secretIds,
      retention,
      own: () => {
        const { lastTickAt = this.#startedAt, intervalMs } = this.#schedules.dispatch
        const at = lastTickAt === undefined ? null : new Date(lastTickAt)
        return { dispatching: this.#startedAt !== undefined, lastTickAt: at, intervalMs }
      },
    })
    this.#telemetry = new Telemetry(this.#events, this.inspect)
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
    return this.#recorder.one(tx, call, { type: 'track', event })
  }

  /** Records who a user is: their traits. Each call is a message of its own. See `track` for the transaction. */
  async identify(tx: EntityManager, call: IdentifyCall<P>): Promise<Recorded> {
    return this.#recorder.one(tx, call, { type: 'identify' })
  }

  /** Records that a page was viewed. Each call is a message of its own. See `track` for the transaction. */
  async page(tx: EntityManager, call: PageCall<P>): Promise<Recorded> {
    return this.#recorder.one(tx, call, { type: 'page' })
  }

  /** Records that a user belongs to a group. Each call is a message of its own. See `track` for the transaction. */
  async group(tx: EntityManager, call: GroupCall<P>): Promise<Recorded> {
    return this.#recorder.one(tx, call, { type: 'group' })
  }

  /** Records many calls in one statement, in their order. Results are in the order of the calls. */
  async record(tx: EntityManager, calls: readonly AnyCall<P>[]): Promise<Recorded[]> {
    return this.#recorder.many(tx, calls)
  }

  /**
   * Starts dispatching and pruning on their schedules. Throws SchemaError where the database is not fit for it.
   * Several processes may do so: leases share the sources out between them.
   */
  async start(): Promise<void> {
    this.#transactions.attach()
    await checkSchema(this.#db)
    this.#stopping = new AbortController()
    this.#telemetry.start()
    this.#startedAt = Date.now()
    this.#sender.open()
    await this.#beat()
    this.#dispatcher.start()
    for (const schedule of Object.values(this.#schedules)) schedule.start()
    void this.#schedules.sample.tick() // the plots begin with the dispatching
  }

  /**
   * Stops: no new requests; those that are out come back and are settled (at most `segment.timeoutMs`), and leases are
   * given back. What waits stays for the next start. Safe to call twice, during `drain()`, and before `start()`.
   */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all([
      ...Object.values(this.#schedules).map((schedule) => schedule.stop()),
      this.#dispatcher.stop(),
      this.#telemetry.stop(),
    ])
    if (this.#startedAt !== undefined) await this.#heartbeat.end()
    this.#startedAt = undefined
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
    this.#operated('send again', report.redriven, options)
    this.#operated('mark delivered', report.marked, options)
    if (report.redriven > 0) this.#dispatcher.wake()
    return report
  }

  /** Gives messages up, with a reason: dead, uncertain, and pending ones that Segment cannot have. Audited. */
  async discard(selection: Selection, options: DiscardOptions): Promise<DiscardReport> {
    const report = await discard(this.#db, selection, options)
    this.#operated('discard', report.discarded, options)
    this.#dispatcher.wake()
    return report
  }

  /**
   * Erases what was recorded of a person, wherever it is: pending (then never sent), delivered, dead, uncertain and
   * discarded messages keep their ids and their counts, and lose all else. Segment is asked elsewhere to forget what
   * it has. Audited with a SHA-256 of the id, never with the id.
   */
  async erase(person: Person, options: EraseOptions): Promise<EraseReport> {
    const report = await erase(this.#db, person, options)
    const messages = Object.values(report.erased).reduce((sum, n) => sum + n, 0)
    this.#operated('erase', messages, options)
    this.#dispatcher.wake()
    return report
  }

  /**
   * Records the history of one event for a portal that has just connected, from the application's own tables: original
   * timestamps, the same natural keys, and so the same messageIds as live recording would have given.
   *
   * Page by page, each in a transaction of its own together with its cursor: stopped at any moment, the same call goes on
   * where it was, and a range that is done does nothing. Throttled by `rate`, and by what waits for the source, so that
   * live events are not held up. Dispatching is not its own: `start()` here or in another process does it.
   *
   * Throws OperationError, before anything is recorded, for a range that reaches beyond the moment the portal was
   * connected or overlaps an earlier backfill: what those recorded may be pruned, and would be sent twice.
   */
  async backfill<E extends EventName<P>>(
    event: E,
    read: ReadFacts<P, E>,
    options: BackfillOptions,
  ): Promise<BackfillReport> {
    const parts = {
      db: this.#db,
      plan: this.#plan,
      record: (tx: EntityManager, calls: readonly unknown[]) => this.#recorder.many(tx, calls),
      stopping: this.#stopping.signal,
    }
    return backfill(parts, event, read as unknown as ReadFacts<Plan, string>, options)
  }

  /** Removes settled messages that are past their retention, in bounded chunks, with a rest after each. */
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

  /**
   * Compares what was delivered with the portals' warehouses by messageId: confirmed, missing, unexpected, doubled, with
   * the likely cause of each gap. Sends again only what it is told to. Bounded in memory, and may be stopped and run
   * again at any time. Throws OperationError for options that make no sense; a warehouse that cannot be read is in the
   * report.
   */
  async reconcile(options: ReconcileOptions = {}): Promise<ReconcileReport> {
    const { dispatcher, retention } = this.#options
    const settings = { ...dispatcher, deliveredDays: retention.deliveredDays }
    const report = await reconcile(this.#db, this.warehouses, options, settings)
    const sentAgain = report.sources.reduce((sum, source) => sum + source.sentAgain, 0)
    if (options.by) this.#operated('send again', sentAgain, options.by)
    if (sentAgain > 0) this.#dispatcher.wake()
    return report
  }

  /** Sends the canaries that are due, and looks for those that should have arrived. Done each minute while started. */
  async checkCanaries(): Promise<CanaryReport> {
    return this.#canaries.check()
  }

  /** Listens to what happens. Returns a function that stops listening. */
  on<E extends keyof OutboxEvents>(event: E, listener: (payload: OutboxEvents[E]) => void): () => void {
    return this.#events.on(event, listener)
  }

  #tick(): Promise<void> {
    this.#dispatcher.wake()
    return this.#beat()
  }

  #beat(): Promise<void> {
    return this.#heartbeat.beat(this.#schedules.dispatch.intervalMs)
  }

  #operated(action: OutboxEvents['operated']['action'], messages: number, by: Responsibility): void {
    const { actor, reason } = by
    if (messages > 0) this.#events.emit('operated', { action, messages, actor, reason })
  }
}

/** When canaries are looked after (each source has an interval of its own), and backlog and lag are sampled. */
const EACH_MINUTE = '* * * * *'

function nothing(): void {}
