import type { Action } from './actions'
import type { Run } from './run'

/**
 * Two transactions record the same fact at the same time: the second waits for the first to end, and then has a
 * duplicate or the row, as the first committed or not.
 */
export async function race(run: Run, action: Extract<Action, { do: 'race' }>): Promise<void> {
  const { ledger } = run
  const portal = ledger.portal(action.portal)
  const sourceId = ledger.active(portal)?.sourceId
  if (sourceId === undefined) return
  const name = ledger.freshName(portal, 'Began Test')
  const call = {
    portalId: portal.portalId,
    userId: 'user-1',
    properties: { testId: 'test-1', attemptId: name.key, attemptNumber: 1 },
  }
  const record = async (index: number) => {
    const transaction = await run.open({ process: index, writes: false })
    const answer = run.process(index).outbox.track(run.runner(transaction).manager, 'Began Test', call)
    return { transaction, answer: answer.then(({ outcome, messageId = '' }) => ({ outcome, messageId })) }
  }
  const first = await record(0)
  const { messageId } = await first.answer
  const second = await record(1)
  const fact = { messageId, sourceId, kind: 'good', name: { event: name.event, key: name.key } } as const
  first.transaction.facts.push({ ...fact, began: first.transaction.began })
  await run.close(first.transaction, action.commit)
  const { outcome, messageId: again } = await second.answer
  const expected = action.commit ? 'duplicate' : 'recorded'
  if (outcome !== expected || again !== messageId)
    run.problems.push(`recording ${name.key} beside another answered ${outcome} ${again}, not ${expected}`)
  if (!action.commit) second.transaction.facts.push({ ...fact, began: second.transaction.began })
  await run.close(second.transaction, true)
}
