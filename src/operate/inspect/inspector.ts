import type { Database } from '../../database'
import { examine } from '../doctor/doctor'
import type { RetentionOptions } from '../prune'
import { readActivity } from './activity'
import { readAudit } from './audit'
import { groupFailures } from './failures'
import { type OwnDispatch, readHealth } from './health'
import type { Inspection } from './inspection'
import { readMessage } from './message'
import { listMessages } from './messages'
import { readOverview } from './overview'
import { previewSelection } from './preview'
import { listSources } from './sources'

export interface InspectorParts {
  readonly db: Database
  readonly dedupWindowMs: number
  /** Ids of the secret keys that this process has. */
  readonly secretIds: readonly string[]
  readonly retention: RetentionOptions
  /** What this process knows of its own dispatching. */
  readonly own: () => OwnDispatch
}

/** Binds the readers to one outbox. */
export function createInspection(parts: InspectorParts): Inspection {
  const { db, dedupWindowMs, secretIds, retention, own } = parts
  return {
    overview: () => readOverview(db),
    activity: (options) => readActivity(db, options),
    sources: (filter) => listSources(db, filter),
    messages: (filter, page) => listMessages(db, filter, page),
    message: (messageId) => readMessage(db, messageId, dedupWindowMs),
    why: async (messageId) => (await readMessage(db, messageId, dedupWindowMs))?.explanation,
    failures: (filter) => groupFailures(db, filter),
    preview: (selection) => previewSelection(db, selection),
    audit: (options) => readAudit(db, options),
    doctor: () => examine({ db, secretIds, retention, now: Date.now }),
    health: () => readHealth(db, own()),
  }
}
