import { checkResponsibility } from '../../operate/selection'
import { counted } from '../view/words'
import type { GoTo, Visit } from '../visit'
import { readPeriod, sourceWithWarehouse } from './compare-warehouse'
import { comparisonChoices } from './comparison-choices'
import { oneOf } from './selection-query'

/**
 * Sends again what a comparison missed, as far as it was chosen. It compares once more, so that what arrived meanwhile is
 * not sent.
 */
export async function sendMissingAgain(visit: Visit): Promise<GoTo> {
  const { outbox, operations, operator, form, link } = visit
  const sourceId = await sourceWithWarehouse(visit)
  const by = { actor: operator.actor, reason: form.get('why')?.trim() ?? '' }
  checkResponsibility(by)
  const names = comparisonChoices.map(({ name }) => name)
  const name = oneOf('choice', form.get('choice') ?? '', names)
  const { title, options } = comparisonChoices[names.indexOf(name)] as (typeof comparisonChoices)[number]
  const asked = { sourceId, ...readPeriod(form), ...options, unexpected: false, by }
  const id = operations.start({ ...by, sourceId, title }, async (progress) => {
    const { sources } = await outbox.reconcile({ ...asked, ...progress })
    const error = sources.find((source) => source.error)?.error
    if (error && !progress.signal?.aborted) throw error
    const sent = sources.reduce((sum, source) => sum + source.sentAgain, 0)
    return { result: `${counted(sent, 'message')} queued to be sent again.` }
  })
  return { goTo: link(`/operations/${id}`) }
}
