import type { Source, SourceState } from 'synap-outbox'
import type { PortalContext } from '../context'

/** A portal's integration with Segment as its admins see it. */
export interface Integration {
  /** What is connected now: enabled or paused. */
  readonly source: Source | undefined
  /** The same, with how events get there. */
  readonly state: SourceState | undefined
  /** What was connected once, and can be again. */
  readonly earlier: readonly SourceState[]
}

export async function readIntegration(
  { outbox }: Pick<PortalContext, 'outbox'>,
  portalId: string,
): Promise<Integration> {
  const [source, states] = await Promise.all([
    outbox.sources.ofPortal(portalId),
    outbox.inspect.sources({ portalId }),
  ])
  return {
    source,
    state: states.find(({ sourceId }) => sourceId === source?.sourceId),
    earlier: states.filter(({ status }) => status === 'disabled'),
  }
}
