import type { Database } from '../../database'
import type { Finding } from '../inspect/types'
import type { RetentionOptions } from '../prune'

/** What a check may look at. */
export interface Patient {
  readonly db: Database
  /** Ids of the secret keys of this process. */
  readonly secretIds: readonly string[]
  readonly retention: RetentionOptions
  /** The host's clock, in milliseconds since the epoch. */
  readonly now: () => number
}

/** One thing that can be wrong, and how it is found. Each answers for itself: one that fails hides no other. */
export interface Check {
  /** Stable: alerts and scripts match on it. */
  readonly name: string
  readonly look: (patient: Patient) => Promise<Found | Found[]>
}

export type Found = Omit<Finding, 'check'>

/** All is well, in this respect. */
export function ok(found: string): Found {
  return { severity: 'ok', found, matters: '', remedy: '' }
}

/** Worth knowing, and nothing is broken. */
export function notice(found: string, matters: string, remedy: string): Found {
  return { severity: 'notice', found, matters, remedy }
}

/** Someone has to act. */
export function problem(found: string, matters: string, remedy: string): Found {
  return { severity: 'problem', found, matters, remedy }
}
