import type { GoTo, Visit } from '../visit'
import { oneOf } from './selection-query'

export const SOURCE_CHANGES = ['pause', 'resume', 'retry', 'disable'] as const

export async function changeSource({ outbox, operator, param, form, link }: Visit): Promise<GoTo> {
  const sourceId = param('id')
  const by = { actor: operator.actor, reason: form.get('why')?.trim() ?? '' }
  const { sources } = outbox
  switch (oneOf('change of a source', param('change'), SOURCE_CHANGES)) {
    case 'pause':
      await sources.pause(sourceId, by)
      break
    case 'resume':
      await sources.resume(sourceId, by)
      break
    case 'retry':
      await sources.retryNow(sourceId, by)
      break
    case 'disable':
      await sources.disable(sourceId, by)
  }
  return { goTo: link(`/sources/${sourceId}`) }
}
