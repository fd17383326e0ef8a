import type { Action } from './actions'
import { changeSource } from './change-source'
import { dispatch } from './dispatch'
import { at, type Ledger } from './ledger'
import { operate } from './operate'
import { orderFaults } from './order-faults'
import { passHours } from './pass-hours'
import { race } from './race'
import type { Run } from './run'
import { trace } from './trace'

const MAX_OPEN = 3

/** Whether the action makes sense now; where it does not, it is left out. */
export function isPossible(ledger: Ledger, action: Action): boolean {
  switch (action.do) {
    case 'begin':
      return ledger.open.length < MAX_OPEN
    case 'record':
    case 'nest':
    case 'end':
      return ledger.open.length > 0
    case 'connect':
      return ledger.active(ledger.portal(action.portal)) === undefined
    case 'pause':
    case 'disable':
    case 'rotate key':
    case 'race':
    case 'fault':
      return ledger.active(ledger.portal(action.portal)) !== undefined
    case 'resume': {
      const portal = ledger.portal(action.portal)
      return (ledger.active(portal) ?? portal.sources.at(-1))?.status !== undefined
    }
    default:
      return true
  }
}

/** Does it, and notes in the model what it means. */
export async function perform(run: Run, action: Action): Promise<void> {
  const { ledger, world } = run
  trace(JSON.stringify(action))
  switch (action.do) {
    case 'begin':
      await run.open(action)
      return
    case 'record':
      return run.record(at(ledger.open, action.tx), ledger.portal(action.portal), action.what)
    case 'nest':
      return run.nest(at(ledger.open, action.tx), ledger.portal(action.portal), action.what, action.commit)
    case 'end':
      return run.close(at(ledger.open, action.tx), action.commit)
    case 'business': {
      const transaction = await run.open({ process: action.process, writes: false })
      await run.record(transaction, ledger.portal(action.portal), action.what)
      return run.close(transaction, action.commit)
    }
    case 'race':
      return race(run, action)
    case 'fault':
      return orderFaults(run, action)
    case 'outage':
      world.segment.fault({ kind: 'refuse-connections' })
      return
    case 'recover':
      return world.clearFaults()
    case 'leases expire':
      return world.expireLeases()
    case 'rests end':
      return world.endRests()
    case 'hours pass':
      return passHours(world, action.hours)
    case 'connect':
    case 'pause':
    case 'resume':
    case 'disable':
    case 'rotate key':
      return changeSource(run, action)
    case 'redrive':
    case 'discard':
      return operate(run, action)
    default:
      return dispatch(run, action)
  }
}
