import type { Action } from './actions'
import { isPossible, perform } from './perform'
import type { ModelProcess } from './process'
import type { Run } from './run'

type Dispatch = Extract<
  Action,
  { do: 'drain' | 'drain together' | 'disturbed drain' | 'interleaved drain' | 'held drain' }
>

/** A drain of one or all processes, left alone or disturbed. */
export async function dispatch(run: Run, action: Dispatch): Promise<void> {
  if (action.later) {
    await run.world.expireLeases()
    await run.world.endRests()
  }
  if (action.do === 'drain together') {
    await Promise.all(run.world.processes.map((process) => drain(run, process)))
    return
  }
  const process = run.process(action.process)
  switch (action.do) {
    case 'drain':
      return drain(run, process)
    case 'disturbed drain':
      process.disturb(action.statement, { how: action.how })
      return drain(run, process)
    case 'interleaved drain':
      process.disturb(action.statement, { how: 'meanwhile', act: () => performAll(run, action.meanwhile) })
      return drain(run, process)
    case 'held drain':
      return heldDrain(run, process, action.meanwhile)
  }
}

/** A process in the middle of a drain is asked for another one and not waited for: it could be waiting for us. */
async function drain(run: Run, process: ModelProcess): Promise<void> {
  if (run.busy.has(process)) {
    run.background.push(process.drain())
    return
  }
  run.busy.add(process)
  await process.drain()
  if (run.busy.size === 1) await Promise.all(run.background.splice(0))
  run.busy.delete(process)
  process.restart() // a process that crashed is started again; its leases stay
}

/** Others act while a request of this process is out: accepted already, and not yet answered. */
async function heldDrain(run: Run, process: ModelProcess, meanwhile: readonly Action[]): Promise<void> {
  let arrive = () => {}
  const arrived = new Promise<void>((resolve) => (arrive = resolve))
  const when = ({ messageIds }: { messageIds: readonly string[] }) => {
    arrive()
    return !run.ledger.holdsPoison(messageIds)
  }
  const held = await run.world.orderFault([{ kind: 'delay', ms: 40 }], { when })
  const drained = drain(run, process)
  await Promise.race([drained, arrived])
  await performAll(run, meanwhile)
  await drained
  await held.clear()
}

async function performAll(run: Run, actions: readonly Action[]): Promise<void> {
  for (const action of actions) if (isPossible(run.ledger, action)) await perform(run, action)
}
