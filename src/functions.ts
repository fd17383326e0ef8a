import { openBatchFunction } from './dispatch/batch'
import { takeLeasesFunction } from './dispatch/lease'
import { readAheadFunction } from './dispatch/next-messages'
import { closeBatchFunction } from './dispatch/settle'
import type { DatabaseFunction, Planned } from './planned'
import { recordFunction } from './record/record-function'
import type { Tables } from './tables'

/** The engine's statements that the database keeps the plans of. */
export const plannedStatements = (t: Tables): readonly Planned[] => [
  takeLeasesFunction(t),
  openBatchFunction(t),
  readAheadFunction(t),
  closeBatchFunction(t),
]

/** All functions of the outbox. */
export const outboxFunctions = (t: Tables): readonly DatabaseFunction[] => [
  recordFunction(t),
  ...plannedStatements(t),
]
