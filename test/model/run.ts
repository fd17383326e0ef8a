import { randomUUID } from 'node:crypto'
import type { QueryRunner } from 'typeorm'
import type { What } from './actions'
import { collectEvidence } from './collect-evidence'
import { violations } from './invariants'
import { at, Ledger, type ModelPortal, type ModelTransaction } from './ledger'
import type { ModelProcess } from './process'
import { recordAndPredict } from './recordings'
import type { World } from './world'

const PORTALS = 3

/** One run of the model: portals of its own in the shared world, and what it has seen go wrong so far. */
export class Run {
  readonly ledger = new Ledger()
  readonly problems: string[] = []
  /** Processes that are in the middle of a drain, and what was asked of them meanwhile. */
  readonly busy = new Set<ModelProcess>()
  readonly background: Promise<void>[] = []
  readonly #runners = new Map<ModelTransaction, QueryRunner>()

  private constructor(readonly world: World) {}

  static async begin(world: World): Promise<Run> {
    await world.reset()
    const run = new Run(world)
    for (let i = 0; i < PORTALS; i++)
      run.ledger.portals.push({ portalId: `portal-${randomUUID()}`, sources: [], names: [] })
    for (const portal of run.ledger.portals.slice(1)) await run.connect(portal)
    return run
  }

  process(index: number): ModelProcess {
    return at(this.world.processes, index)
  }

  async connect(portal: ModelPortal): Promise<void> {
    const { writeKey, belongsTo } = this.world.newWriteKey()
    const { sourceId } = await this.world.operator.sources.connect({ portalId: portal.portalId, writeKey })
    belongsTo(sourceId)
    portal.sources.push({ sourceId, status: 'enabled' })
  }

  async open(action: { process: number; writes: boolean }) {
    const transaction = this.ledger.begin(action.process)
    const runner = this.process(action.process).dataSource.createQueryRunner()
    this.#runners.set(transaction, runner)
    this.ledger.open.push(transaction)
    await runner.startTransaction()
    if (action.writes) await runner.query('SELECT pg_current_xact_id()') // as a business change before it would
    return transaction
  }

  async record(transaction: ModelTransaction, portal: ModelPortal, what: readonly What[]): Promise<void> {
    const manager = this.runner(transaction).manager
    const { outbox } = this.process(transaction.process)
    this.problems.push(
      ...(await recordAndPredict(this.ledger, transaction, { outbox, manager, portal }, what)),
    )
  }

  /** Records inside a savepoint, which is then released or rolled back to. */
  async nest(transaction: ModelTransaction, portal: ModelPortal, what: readonly What[], commit: boolean) {
    const runner = this.runner(transaction)
    const before = [...transaction.facts]
    await runner.startTransaction()
    await this.record(transaction, portal, what)
    if (commit) return runner.commitTransaction()
    await runner.rollbackTransaction()
    transaction.facts = before
  }

  async close(transaction: ModelTransaction, commit: boolean): Promise<void> {
    const runner = this.runner(transaction)
    if (commit) await runner.commitTransaction()
    else await runner.rollbackTransaction()
    await runner.release()
    this.ledger.open.splice(this.ledger.open.indexOf(transaction), 1)
    if (commit) this.ledger.commit(transaction, await this.world.databaseNow())
  }

  /** Ends all that is open, lets everything recover, drains to the end, and returns what is broken. */
  async end(): Promise<string[]> {
    for (const transaction of [...this.ledger.open]) await this.close(transaction, true)
    await Promise.all(this.background.splice(0))
    await this.world.clearFaults()
    for (const process of this.world.processes) process.restart()
    // Something new for each portal: what was passed over would go out after it, and be noticed.
    for (const [i, portal] of this.ledger.portals.entries()) {
      const transaction = await this.open({ process: i, writes: false })
      await this.record(transaction, portal, ['began'])
      await this.close(transaction, true)
    }
    for (let round = 0; round < 40 && (await this.isDue()); round++) {
      await this.world.expireLeases()
      await this.world.endRests()
      await this.process(round).drain()
    }
    for (const { name, errors } of this.world.processes)
      this.problems.push(...errors.splice(0).map((error) => `${name} failed: ${error}`))
    return [...this.problems, ...violations(await collectEvidence(this.world, this.ledger))]
  }

  /** Ends what a failed run has left open. */
  async abandon(): Promise<void> {
    for (const transaction of [...this.ledger.open])
      await this.close(transaction, false).catch(() => undefined)
    await Promise.allSettled(this.background.splice(0))
  }

  runner(transaction: ModelTransaction): QueryRunner {
    const runner = this.#runners.get(transaction)
    if (!runner) throw new Error('the model has a transaction that nobody began')
    return runner
  }

  private async isDue(): Promise<boolean> {
    const rows = await this.world.rows(
      `SELECT 1 FROM outbox_message JOIN segment_source s USING (source_id)
       WHERE outbox_message.status = 'pending' AND s.status = 'enabled' LIMIT 1`,
    )
    return rows.length > 0
  }
}
