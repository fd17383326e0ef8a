import { type Region, type Responsibility, type Source, SourceError, type Verification } from 'synap-outbox'
import type { PortalContext } from '../context'

/** What an admin has filled in. */
export interface IntegrationSettings {
  /** Empty: the key that is saved stays. */
  readonly writeKey: string
  readonly region: Region
  readonly detailedEvents: boolean
  /** Save the key although Segment does not know it. */
  readonly insist: boolean
  /** The write key is of another Segment workspace than the one that is connected. */
  readonly anotherWorkspace: boolean
}

export type SaveOutcome =
  | { readonly saved: 'connected' | 'replaced' | 'moved'; readonly verification: Verification }
  | { readonly saved: 'settings-saved' | 'unchanged' }
  | { readonly refused: SaveRefusal }

/** `key-of-other-region`: a write key belongs to one region, so a new region needs a key. */
export type SaveRefusal =
  | 'key-missing'
  | 'key-malformed'
  | 'key-unknown'
  | 'key-of-other-region'
  | 'changed-meanwhile'

/**
 * Saves a portal's integration with Segment. A new key of the same workspace keeps the source and so the ids of what
 * waits, which goes out with it; another workspace is a new source.
 *
 * @param current the portal's active source, if there is one
 */
export async function saveIntegration(
  { outbox }: Pick<PortalContext, 'outbox'>,
  portalId: string,
  current: Source | undefined,
  settings: IntegrationSettings,
  by: Responsibility,
): Promise<SaveOutcome> {
  const { writeKey, region, detailedEvents, insist, anotherWorkspace } = settings
  if (writeKey === '') return saveWithoutKey({ outbox }, current, settings, by)
  try {
    if (!current || anotherWorkspace) {
      const replace = current !== undefined
      const { verification } = await outbox.sources.connect({
        portalId,
        writeKey,
        region,
        detailedEvents,
        insist,
        replace,
        by,
      })
      return { saved: replace ? 'moved' : 'connected', verification }
    }
    const { verification } = await outbox.sources.saveWriteKey(current.sourceId, writeKey, {
      region,
      insist,
      by,
    })
    if (detailedEvents !== current.detailedEvents)
      await outbox.sources.setDetailedEvents(current.sourceId, detailedEvents, by)
    return { saved: 'replaced', verification }
  } catch (error) {
    return { refused: refusalOf(error) }
  }
}

async function saveWithoutKey(
  { outbox }: Pick<PortalContext, 'outbox'>,
  current: Source | undefined,
  { region, detailedEvents, anotherWorkspace }: IntegrationSettings,
  by: Responsibility,
): Promise<SaveOutcome> {
  if (!current || anotherWorkspace) return { refused: 'key-missing' }
  if (region !== current.region) return { refused: 'key-of-other-region' }
  if (detailedEvents === current.detailedEvents) return { saved: 'unchanged' }
  await outbox.sources.setDetailedEvents(current.sourceId, detailedEvents, by)
  return { saved: 'settings-saved' }
}

function refusalOf(error: unknown): SaveRefusal {
  const problem = error instanceof SourceError ? error.problem : undefined
  if (problem === 'malformed-key') return 'key-malformed'
  if (problem === 'unknown-key') return 'key-unknown'
  if (problem === 'connected-already') return 'changed-meanwhile'
  throw error
}
