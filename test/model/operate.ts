import type { Action } from './actions'
import type { Run } from './run'

type Operation = Extract<Action, { do: 'redrive' | 'discard' }>

const BY = { actor: 'operator', reason: 'the model says so' }

interface Before {
  messageId: string
  status: string
  sent: boolean
}

/** What an operator does to a portal's messages. The choices are noted: they are the only reason to break a promise. */
export async function operate(run: Run, action: Operation): Promise<void> {
  const { world, ledger } = run
  const { portalId } = ledger.portal(action.portal)
  if (action.do === 'discard') {
    // It waits for the turn of a dispatcher, and here the dispatcher may be waiting for it.
    if (run.busy.size > 0) return
    await world.expireLeases()
    await world.operator.discard({ portalId }, BY)
    const now = Date.now() + world.clock.offset
    const gone = await world.rows<{ messageId: string }>(
      `SELECT message_id AS "messageId" FROM outbox_message WHERE portal_id = $1 AND status = 'discarded'`,
      [portalId],
    )
    for (const { messageId } of gone) ledger.choices.discard(messageId, now)
    return
  }
  const { inDoubt } = action
  const before = await world.rows<Before>(
    `SELECT message_id AS "messageId", status, batch_id IS NOT NULL AS sent FROM outbox_message WHERE portal_id = $1`,
    [portalId],
  )
  // Noted first: a dispatcher may send them while the answer is on its way.
  for (const { messageId, status, sent } of before) {
    const moves = (status === 'dead' && sent) || (status === 'uncertain' && inDoubt !== undefined)
    if (moves) ledger.choices.redrive(messageId, inDoubt)
  }
  await world.operator.redrive({ portalId }, { ...BY, ...(inDoubt && { inDoubt }) })
}
