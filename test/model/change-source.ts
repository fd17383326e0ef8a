import type { Action } from './actions'
import type { Run } from './run'

type Change = Extract<Action, { do: 'connect' | 'pause' | 'resume' | 'disable' | 'rotate key' }>

/** What a portal's admin does on the settings page. `isPossible` has seen to it that there is a source to do it to. */
export async function changeSource(run: Run, { do: change, portal: index }: Change): Promise<void> {
  const { ledger, world } = run
  const portal = ledger.portal(index)
  if (change === 'connect') return run.connect(portal)
  const source = ledger.active(portal) ?? portal.sources.at(-1)
  if (!source) return
  const { sources } = world.operator
  const { sourceId } = source
  if (change === 'rotate key') {
    const { writeKey, belongsTo } = world.newWriteKey()
    belongsTo(sourceId)
    await sources.saveWriteKey(sourceId, writeKey)
  } else {
    await sources[change](sourceId)
    source.status = ({ pause: 'paused', resume: 'enabled', disable: 'disabled' } as const)[change]
  }
}
