import type { Inspection } from '../../operate/inspect/inspection'
import type { SourceState } from '../../operate/inspect/types'
import { CliError, WrongUseError } from './cli-error'
import { isUuid } from './selection-options'

export function isTroubled({ health }: SourceState): boolean {
  return health === 'refused' || health === 'failing' || health === 'behind'
}

/** The sources that somebody means by a source's id or a portal's: a portal has one, and those it had before. */
export async function findSources(inspect: Inspection, meant: string): Promise<SourceState[]> {
  const bySource = isUuid(meant) ? await inspect.sources({ sourceId: meant }) : []
  const found = bySource.length > 0 ? bySource : await inspect.sources({ portalId: meant })
  if (found.length > 0) return found
  throw new CliError(
    `No source and no portal with one is named ${meant}.`,
    '',
    '`synap-outbox sources` lists them; `synap-outbox sources --help` shows what can be done.',
  )
}

/** The one that is meant: of a portal's sources the one that is not disabled. */
export async function findSource(inspect: Inspection, meant: string): Promise<SourceState> {
  const found = await findSources(inspect, meant)
  const active = found.filter(({ status }) => status !== 'disabled')
  const [only, another] = active.length > 0 ? active : found
  if (only !== undefined && another === undefined) return only
  throw new WrongUseError(
    `The portal ${meant} has several sources, all disabled: ${found.map(({ sourceId }) => sourceId).join(', ')}.`,
    '',
    'Name the source.',
  )
}
