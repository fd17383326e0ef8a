import { OperationError } from '../../errors'
import type { SourceComparison } from '../../reconcile/report'
import { counted } from '../view/words'
import type { GoTo, Visit } from '../visit'
import { notMeant, readTime } from './selection-query'

/** Compares a source with its warehouse in the background, and goes on to the page that will show what it found. */
export async function compareWarehouse(visit: Visit): Promise<GoTo> {
  const { outbox, operations, operator, form, link } = visit
  const sourceId = await sourceWithWarehouse(visit)
  const period = readPeriod(form)
  const title = 'Compare with the warehouse'
  const id = operations.start({ actor: operator.actor, sourceId, title }, async (progress) => {
    const report = await outbox.reconcile({ sourceId, ...period, ...progress })
    return { report, result: report.sources.map(inWords).join(' ') }
  })
  return { goTo: link(`/operations/${id}`) }
}

/** The source that the address names. Throws OperationError where there is nothing to compare it with. */
export async function sourceWithWarehouse({ outbox, param }: Visit): Promise<string> {
  const sourceId = param('id')
  const [source] = await outbox.inspect.sources({ sourceId })
  if (source?.warehouse) return sourceId
  throw new OperationError(
    'No warehouse is known for this source.',
    'There is nothing to compare with.',
    'Save it first: `synap-outbox warehouses connect`.',
  )
}

export function readPeriod(form: URLSearchParams): { from?: Date; to?: Date } {
  const [from, to] = [readTime(form.get('from')), readTime(form.get('to'))]
  if (!from || from < (to ?? new Date())) return { from, to }
  throw notMeant('The period ends before it begins.', 'Give a "from" that is before "to", in UTC.')
}

function inWords(source: SourceComparison): string {
  if (source.error) return 'it ended early.'
  const { missing, absent, unexpected, duplicated } = source
  const parts = [
    missing > 0 ? `${counted(missing, 'message')} missing` : '',
    absent > 0 ? `${counted(absent, 'uncertain message')} not there` : '',
    unexpected > 0 ? `${counted(unexpected, 'row')} not sent from here` : '',
    duplicated > 0 ? `${counted(duplicated, 'message')} there more than once` : '',
  ].filter(Boolean)
  return parts.length > 0 ? `${parts.join(', ')}.` : 'the outbox and the warehouse agree.'
}
