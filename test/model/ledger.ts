import { Choices } from './choices'
import type { Fact, SourceState } from './evidence'

/** A source as the model knows it. */
export interface ModelSource {
  readonly sourceId: string
  status: SourceState['status']
}

/** A fact that somebody recorded once, whether that was committed or not: it can be recorded again. */
export interface Name {
  readonly event: 'Began Test' | 'Submitted Test'
  readonly key: string
  readonly kind: 'good' | 'poison'
}

export interface ModelPortal {
  readonly portalId: string
  /** Oldest first; at most one is not disabled. */
  readonly sources: ModelSource[]
  readonly names: Name[]
}

export type Uncommitted = Omit<Fact, 'committed' | 'visibleAt'>

export interface ModelTransaction {
  /** Index of the process that has it open. */
  readonly process: number
  readonly began: number
  facts: Uncommitted[]
}

/** What should be: the model's state. It predicts what each recording answers, and keeps what was committed. */
export class Ledger {
  readonly facts: Fact[] = []
  readonly portals: ModelPortal[] = []
  readonly open: ModelTransaction[] = []
  readonly choices = new Choices()
  #now = 0

  /** The next moment of the model's own clock. */
  tick(): number {
    return ++this.#now
  }

  portal(index: number): ModelPortal {
    return at(this.portals, index)
  }

  /** The portal's source that is not disabled. */
  active(portal: ModelPortal): ModelSource | undefined {
    return portal.sources.find((source) => source.status !== 'disabled')
  }

  begin(process: number): ModelTransaction {
    return { process, began: this.tick(), facts: [] }
  }

  /** The transaction has committed, by `visibleAt` on the database's clock at the latest. */
  commit(transaction: ModelTransaction, visibleAt: number): void {
    const committed = this.tick()
    this.facts.push(...transaction.facts.map((fact) => ({ ...fact, committed, visibleAt })))
  }

  /** Whether the source has the fact, as this transaction sees it. */
  has(transaction: ModelTransaction, sourceId: string, name: Name): boolean {
    return [...this.facts, ...transaction.facts].some((fact) => isSame(fact, sourceId, name))
  }

  /** Whether another open transaction has recorded it: recording it now would wait for that one's end. */
  isContested(transaction: ModelTransaction, sourceId: string | undefined, name: Name): boolean {
    const others = this.open.filter((other) => other !== transaction)
    return others.some((other) => other.facts.some((fact) => isSame(fact, sourceId, name)))
  }

  holdsPoison(messageIds: readonly string[]): boolean {
    const all = [...this.facts, ...this.open.flatMap(({ facts }) => facts)]
    return all.some(({ kind, messageId }) => kind === 'poison' && messageIds.includes(messageId))
  }

  /** A name that nobody has used in this portal. The same keys are used in every portal. */
  freshName(portal: ModelPortal, event: Name['event'], kind: Name['kind'] = 'good'): Name {
    const name = { event, key: `key-${portal.names.length}`, kind }
    portal.names.push(name)
    return name
  }
}

/** The element at any non-negative index, counted round and round. */
export function at<T>(list: readonly T[], index: number): T {
  return list[index % list.length] as T
}

function isSame(fact: Uncommitted, sourceId: string | undefined, { event, key }: Name): boolean {
  if (fact.kind === 'bad') return false
  return fact.sourceId === sourceId && fact.name?.event === event && fact.name.key === key
}
