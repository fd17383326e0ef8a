import type fc from 'fast-check'
import type { Action } from './actions'
import type { Ledger } from './ledger'
import { isPossible, perform } from './perform'
import type { Run } from './run'

/** An action as fast-check's model runner takes it. */
export class Step implements fc.AsyncCommand<Ledger, Run> {
  constructor(readonly action: Action) {}

  check(ledger: Ledger): boolean {
    return isPossible(ledger, this.action)
  }

  run(_ledger: Ledger, run: Run): Promise<void> {
    return perform(run, this.action)
  }

  toString(): string {
    return JSON.stringify(this.action)
  }
}
