import type { EntityManager } from 'typeorm'
import { InvalidCallError } from '../errors'
import type { Events } from '../events'
import type { Plan } from '../plan/define-plan'
import type { Tables } from '../tables'
import { activeTraceParent } from '../telemetry/trace-context'
import type { Recorded } from './calls'
import { prepareCall } from './prepare'
import { writeMessages } from './record'
import type { Transactions } from './transactions'

/** What the method that was called says a call is; those of `record` say it themselves. */
export interface CallKind {
  readonly type: string
  readonly event?: unknown
}

/** Writes calls in the transactions of their callers. Throws NoTransactionError, and InvalidCallError where wanted. */
export class Recorder {
  constructor(
    private readonly parts: {
      readonly plan: Plan
      readonly tables: Tables
      readonly transactions: Transactions
      readonly events: Events
      readonly invalid: 'divert' | 'throw'
    },
  ) {}

  async one(tx: EntityManager, call: unknown, kind: CallKind): Promise<Recorded> {
    const [result] = await this.many(tx, [call], kind)
    return result as Recorded
  }

  /** Everything up to the first `await` happens in the caller's turn: misuse throws, and the calls are copied. */
  async many(tx: EntityManager, calls: readonly unknown[], kind?: CallKind): Promise<Recorded[]> {
    const { plan, tables, transactions, events, invalid } = this.parts
    const runner = transactions.require(tx)
    const traceParent = activeTraceParent()
    const prepared = calls.map((call) => prepareCall(plan, call, kind, traceParent))
    if (invalid === 'throw') {
      const bad = prepared.find((call) => call.problems.length > 0)
      if (bad) throw new InvalidCallError(`The ${bad.type} call ${bad.event ?? ''}`.trim(), bad.problems)
    }
    if (prepared.length === 0) return []
    const { results, recorded } = await writeMessages(runner, tables, prepared)
    transactions.note(runner, recorded)
    for (const [i, { problems, portal_id: portalId, event }] of prepared.entries()) {
      const { messageId } = results[i] ?? {}
      if (problems.length > 0) events.emit('diverted', { portalId, messageId, event, problems })
    }
    return results
  }
}
