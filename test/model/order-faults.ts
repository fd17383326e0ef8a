import type { Action } from './actions'
import { accepts, requestFault } from './faults'
import type { Run } from './run'

/** Orders a sequence of faults for a portal's requests. */
export async function orderFaults(run: Run, action: Extract<Action, { do: 'fault' }>): Promise<void> {
  const { sources } = run.ledger.portal(action.portal)
  const concerns = (writeKey: string | undefined) =>
    sources.some(({ sourceId }) => sourceId === run.world.sourceOf(writeKey))
  await run.world.orderFault(action.faults.map(requestFault), {
    // Segment takes nothing of a request that holds poison, so no fault may make it do so.
    when: ({ writeKey, messageIds }) =>
      concerns(writeKey) && !(action.faults.some(accepts) && run.ledger.holdsPoison(messageIds)),
  })
}
