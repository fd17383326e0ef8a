import type { Outbox } from 'synap-outbox'
import type { EntityManager } from 'typeorm'
import type { What } from './actions'
import {
  at,
  type Ledger,
  type ModelPortal,
  type ModelTransaction,
  type Name,
  type Uncommitted,
} from './ledger'
import { POISON_TEST } from './world'

type Call = Parameters<Outbox['record']>[1][number]

interface Planned {
  readonly call: Call
  readonly kind: Uncommitted['kind']
  readonly name: Name | undefined
}

/**
 * Records several calls in one statement, compares each answer with what the model predicts, and notes what the
 * transaction now holds. Returns what was answered otherwise.
 */
export async function recordAndPredict(
  ledger: Ledger,
  transaction: ModelTransaction,
  place: { outbox: Outbox; manager: EntityManager; portal: ModelPortal },
  whats: readonly What[],
): Promise<string[]> {
  const { outbox, manager, portal } = place
  const planned = whats.map((what) => plan(ledger, transaction, portal, what))
  const results = await outbox.record(
    manager,
    planned.map(({ call }) => call),
  )
  return planned.flatMap(({ kind, name }, i) => {
    const { outcome, messageId = '' } = results[i] ?? { outcome: 'nothing' }
    const source = ledger.active(portal)
    const expected = predict(ledger, transaction, source?.sourceId, kind, name)
    if (source && (outcome === 'recorded' || outcome === 'diverted')) {
      const named = name === undefined ? {} : { name: { event: name.event, key: name.key } }
      transaction.facts.push({
        messageId,
        sourceId: source.sourceId,
        kind,
        began: transaction.began,
        ...named,
      })
    }
    return outcome === expected
      ? []
      : [`recording ${JSON.stringify(name ?? kind)} answered ${outcome}, not ${expected}`]
  })
}

function predict(
  ledger: Ledger,
  transaction: ModelTransaction,
  sourceId: string | undefined,
  kind: Uncommitted['kind'],
  name: Name | undefined,
): string {
  if (sourceId === undefined) return 'no-source'
  if (kind === 'bad') return 'diverted'
  return name && ledger.has(transaction, sourceId, name) ? 'duplicate' : 'recorded'
}

function plan(ledger: Ledger, transaction: ModelTransaction, portal: ModelPortal, what: What): Planned {
  const { portalId } = portal
  const who = { portalId, userId: 'user-1' }
  if (what === 'identify')
    return { call: { type: 'identify', ...who, traits: {} }, kind: 'good', name: undefined }
  if (what === 'page')
    return {
      call: { type: 'page', ...who, name: 'Tests', properties: { path: '/tests' } },
      kind: 'good',
      name: undefined,
    }
  if (what === 'bad') {
    const properties = { testId: 'test-1', attemptId: 'bad', attemptNumber: -1 }
    return { call: { type: 'track', event: 'Began Test', ...who, properties }, kind: 'bad', name: undefined }
  }
  const name = nameFor(ledger, transaction, portal, what)
  const testId = name.kind === 'poison' ? POISON_TEST : 'test-1'
  const properties = { testId, attemptId: name.key, attemptNumber: 1 }
  return { call: trackCall(who, name.event, properties), kind: name.kind, name }
}

function trackCall(
  who: { portalId: string; userId: string },
  event: Name['event'],
  properties: { testId: string; attemptId: string; attemptNumber: number },
): Call {
  if (event === 'Began Test') return { type: 'track', event, ...who, properties }
  return {
    type: 'track',
    event,
    ...who,
    properties: { ...properties, requiresMarking: false, durationSeconds: 1 },
  }
}

function nameFor(ledger: Ledger, transaction: ModelTransaction, portal: ModelPortal, what: What): Name {
  if (what === 'poison') return ledger.freshName(portal, 'Began Test', 'poison')
  if (what === 'submitted') return ledger.freshName(portal, 'Submitted Test')
  const free = portal.names.filter(
    (name) => !ledger.isContested(transaction, ledger.active(portal)?.sourceId, name),
  )
  if (what === 'again' && free.length > 0) return at(free, ledger.tick())
  return ledger.freshName(portal, 'Began Test')
}
