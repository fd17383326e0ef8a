import type {
  DataSource,
  EntityManager,
  EntitySubscriberInterface,
  QueryRunner,
  TransactionCommitEvent,
  TransactionRollbackEvent,
  TransactionStartEvent,
} from 'typeorm'
import { NoTransactionError } from '../errors'
import { reached } from '../steps'

/**
 * Knows which transactions are open, and tells once, after the outermost commit, which sources were written to.
 *
 * Nothing here may throw into TypeORM: a throw in `afterTransactionCommit` makes a committed transaction look failed.
 */
export class Transactions implements EntitySubscriberInterface {
  /** Sources that each open transaction has recorded for. */
  readonly #recorded = new WeakMap<QueryRunner, Set<string>>()
  /** Transactions whose COMMIT or ROLLBACK is on its way: what is queued behind it would autocommit. */
  readonly #ending = new WeakSet<QueryRunner>()
  readonly #dataSource: DataSource
  readonly #committed: (sourceIds: ReadonlySet<string>) => void

  constructor(dataSource: DataSource, committed: (sourceIds: ReadonlySet<string>) => void) {
    this.#dataSource = dataSource
    this.#committed = committed
    this.attach()
  }

  /** Subscribes; again when `dataSource.initialize()` has rebuilt its list of subscribers since. */
  attach(): void {
    if (!this.#dataSource.subscribers.includes(this)) this.#dataSource.subscribers.push(this)
  }

  detach(): void {
    const at = this.#dataSource.subscribers.indexOf(this)
    if (at >= 0) this.#dataSource.subscribers.splice(at, 1)
  }

  /** The transaction's query runner. Throws NoTransactionError where what is recorded would not be part of one. */
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
      throw new NoTransactionError('A message was recorded through a manager whose connection is released.')
    }
    if (!runner.isTransactionActive || this.#ending.has(runner)) {
      throw new NoTransactionError(
        'A message was recorded after its transaction had ended, or as it was ending.',
      )
    }
    return runner
  }

  /** Remembers that the open transaction has recorded for these sources. */
  note(runner: QueryRunner, sourceIds: Iterable<string>): void {
    const noted = this.#recorded.get(runner) ?? new Set()
    for (const sourceId of sourceIds) noted.add(sourceId)
    if (noted.size > 0) this.#recorded.set(runner, noted)
  }

  afterTransactionStart(event: TransactionStartEvent): void {
    if (isOutermost(event.queryRunner)) this.#ending.delete(event.queryRunner)
  }

  beforeTransactionCommit(event: TransactionCommitEvent): void {
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
    this.#committed(sources)
  }

  afterTransactionRollback(event: TransactionRollbackEvent): void {
    if (!event.queryRunner.isTransactionActive) this.#recorded.delete(event.queryRunner)
  }
}

/** TypeORM keeps the depth protected; without it, a nested end cannot be told from the outermost in advance. */
function isOutermost(runner: QueryRunner): boolean {
  const { transactionDepth } = runner as unknown as { transactionDepth?: number }
  return (transactionDepth ?? 1) <= 1
}
