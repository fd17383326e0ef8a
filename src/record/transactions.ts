import type {
  DataSource,
  EntityManager,
  EntitySubscriberInterface,
  QueryRunner,
  TransactionCommitEvent,
  TransactionRollbackEvent,
  TransactionStartEvent,
} from 'typeorm'
import { NoTransactionError, TransactionLostError } from '../errors'
import { reached } from '../steps'

/** What a transaction has recorded for one source. */
export interface RecordedMessages {
  readonly sourceId: string
  readonly portalId: string
  readonly messages: number
}

/** With how deep a savepoint they share their fate; 1 is the transaction itself. */
type Noted = RecordedMessages & { depth: number }

/**
 * Knows which transactions are open, and tells once, after the outermost commit, what was recorded for which source.
 *
 * Nothing here may throw into TypeORM: a throw in `afterTransactionCommit` makes a committed transaction look failed.
 */
export class Transactions implements EntitySubscriberInterface {
  /** What each open transaction has recorded. */
  readonly #recorded = new WeakMap<QueryRunner, Noted[]>()
  /** Transactions whose COMMIT or ROLLBACK is on its way: what is queued behind it would autocommit. */
  readonly #ending = new WeakSet<QueryRunner>()
  readonly #dataSource: DataSource
  readonly #committed: (recorded: readonly RecordedMessages[]) => void

  constructor(dataSource: DataSource, committed: (recorded: readonly RecordedMessages[]) => void) {
    this.#dataSource = dataSource
    this.#committed = committed
    this.attach()
  }

  /** Subscribes; again when `dataSource.initialize()` has rebuilt its list of subscribers since. */
  attach(): void {
    if (!this.#dataSource.subscribers.includes(this)) this.#dataSource.subscribers.push(this)
  }

  /**
   * The transaction's query runner. Throws where what is recorded would not be part of a transaction: NoTransactionError,
   * or TransactionLostError where there was one.
   */
  require(tx: EntityManager): QueryRunner {
    this.attach()
    const runner = tx?.queryRunner
    if (!runner) {
      throw new NoTransactionError('A message was recorded through a manager outside any transaction.')
    }
    // `connection` is the name that TypeORM 0.3 and 1.x share.
    if (tx.connection !== this.#dataSource) {
      throw new NoTransactionError('A message was recorded through a manager of another DataSource.')
    }
    if (runner.isReleased) {
      // TypeORM lets go of a connection that was lost, and leaves its transaction marked as active.
      if (runner.isTransactionActive) throw new TransactionLostError()
      throw new NoTransactionError('A message was recorded through a manager whose connection is released.')
    }
    if (!runner.isTransactionActive || this.#ending.has(runner)) {
      throw new NoTransactionError(
        'A message was recorded after its transaction had ended, or as it was ending.',
      )
    }
    return runner
  }

  /** Remembers what the open transaction has recorded. */
  note(runner: QueryRunner, recorded: Iterable<RecordedMessages>): void {
    const notes = this.#recorded.get(runner) ?? []
    const depth = depthOf(runner)
    for (const one of recorded) notes.push({ ...one, depth })
    if (notes.length > 0) this.#recorded.set(runner, notes)
  }

  afterTransactionStart(event: TransactionStartEvent): void {
    if (isOutermost(event.queryRunner)) this.#ending.delete(event.queryRunner)
  }

  beforeTransactionCommit(event: TransactionCommitEvent): void {
    const outer = depthOf(event.queryRunner) - 1
    for (const note of this.#recorded.get(event.queryRunner) ?? []) note.depth = Math.min(note.depth, outer)
    if (isOutermost(event.queryRunner)) this.#ending.add(event.queryRunner)
  }

  beforeTransactionRollback(event: TransactionRollbackEvent): void {
    if (isOutermost(event.queryRunner)) this.#ending.add(event.queryRunner)
  }

  afterTransactionCommit(event: TransactionCommitEvent): void {
    // TypeORM calls this for a released savepoint too; the transaction is then still active.
    if (event.queryRunner.isTransactionActive) return
    const sources = this.#recorded.get(event.queryRunner)
    this.#recorded.delete(event.queryRunner)
    if (!sources) return
    reached('record:committed')
    this.#committed(bySource(sources))
  }

  afterTransactionRollback({ queryRunner }: TransactionRollbackEvent): void {
    const depth = queryRunner.isTransactionActive ? depthOf(queryRunner) : 0
    const kept = this.#recorded.get(queryRunner)?.filter((note) => note.depth <= depth) ?? []
    if (kept.length > 0) this.#recorded.set(queryRunner, kept)
    else this.#recorded.delete(queryRunner)
  }
}

function bySource(notes: readonly Noted[]): RecordedMessages[] {
  const sums = new Map<string, RecordedMessages>()
  for (const { sourceId, portalId, messages } of notes) {
    sums.set(sourceId, { sourceId, portalId, messages: messages + (sums.get(sourceId)?.messages ?? 0) })
  }
  return [...sums.values()]
}

function isOutermost(runner: QueryRunner): boolean {
  return depthOf(runner) <= 1
}

/** TypeORM keeps the depth protected; without it, a nested end cannot be told from the outermost in advance. */
function depthOf(runner: QueryRunner): number {
  return (runner as unknown as { transactionDepth?: number }).transactionDepth ?? 1
}
