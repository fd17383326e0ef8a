/** How long the next lease can build on a read, in milliseconds: less than any restore or failover takes. */
const REMEMBERED_MS = 10_000

/**
 * Up to where a source's messages are settled, so that reading need not walk past them again.
 *
 * A `seq` is drawn before its transaction commits, so a lower one can appear after a higher one was read. Skipping it
 * would lose it, or send it after a message of a later transaction (I7). So the mark only ever moves to a `seq` below
 * which nothing can appear any more:
 *
 * - A read at snapshot S sees `seq` values up to L. Let H be the id of the reading transaction itself, which it takes
 *   after S (`pg_current_xact_id`). Not `pg_snapshot_xmax`: that is one past the highest id that has ended, and a
 *   transaction still running may have a higher one, and with it a `seq` below L.
 * - A transaction with an id above H got it after S. Recording takes the id before it draws a `seq`, and sequences only
 *   rise, so all of its `seq` values are above L.
 * - Once a later read's oldest running transaction (`pg_snapshot_xmin`) is H or above, every transaction that could
 *   own a `seq` up to L has ended, and that read saw what it committed.
 *
 * Then the mark may move to L, as far as what that later read returned, and all before it, is settled. In normal traffic
 * this is one or two batches behind. A transaction that stays open with writes holds the mark back, which costs time and never order;
 * one that only reads does not.
 *
 * A redriven message gets a new `seq`, so it is never below the mark.
 */
export class LowWaterMark {
  #mark = 0n
  #candidate: { throughSeq: bigint; horizon: string } | undefined
  #readAt = 0

  constructor(readFrom = '0') {
    this.startFrom(readFrom)
  }

  /**
   * A lease begins, with the mark as the database has it. What the last read saw still holds, whoever has sent since: it
   * is about transactions, and the next read sees all that they left. Not for ever: a database that was restored, or has
   * failed over, may count transactions and `seq` anew.
   */
  startFrom(readFrom: string): void {
    this.#mark = BigInt(readFrom)
    if (performance.now() - this.#readAt > REMEMBERED_MS) this.#candidate = undefined
  }

  /** Reads start above this `seq`. */
  get value(): string {
    return this.#mark.toString()
  }

  /** The transaction id that the oldest running transaction has to reach; compared by the next read. */
  get horizon(): string | null {
    return this.#candidate?.horizon ?? null
  }

  /**
   * Takes note of a read of all that is pending above the mark; or above what an earlier read returned and is out still,
   * if what it returns is only sent once nothing else is pending below (`closeBatch`): a late `seq` is seen then at last.
   *
   * @param lastSeq highest `seq` that it returned
   * @param horizon the id of the transaction that read
   * @param passed whether the oldest running transaction had reached the `horizon` given to the read
   * @returns the `seq` to give to `settled` once all that it returned is settled, and all that was out before
   */
  read(lastSeq: string, horizon: string, passed: boolean): bigint | undefined {
    const last = BigInt(lastSeq)
    if (this.#candidate !== undefined && !passed) return undefined
    const { throughSeq } = this.#candidate ?? {}
    this.#candidate = { throughSeq: last, horizon }
    this.#readAt = performance.now()
    // What the read returned is lower than what it left: beyond its last message there may be more.
    return throughSeq === undefined || throughSeq < last ? throughSeq : last
  }

  /** Moves the mark to what `read` returned; undefined leaves it where it is. Returns where it is then. */
  settled(through: bigint | undefined): string {
    if (through !== undefined && through > this.#mark) this.#mark = through
    return this.value
  }

  /** Start from the very beginning again. */
  sweep(): void {
    this.#mark = 0n
    this.#candidate = undefined
  }
}
