import type { LocalSegment, RequestFault } from 'synap-outbox/testing'
import type { DataSource } from 'typeorm'
import type { Step } from '../../src/steps'
import type { Fact } from './process/protocol'
import type { RealProcess } from './process/real-process'

/** What a story works with, up to the crash. */
export interface Stage {
  readonly process: RealProcess
  readonly segment: LocalSegment
  readonly dataSource: DataSource
  readonly portals: readonly { portalId: string; writeKey: string }[]
  /** Facts with ids of their own, in the order of time. */
  facts(kinds: readonly FactKind[]): Fact[]
  /** The process shall die at its step from now on. */
  arm(): Promise<void>
}

/** `second`: of the second portal. */
export type FactKind = 'committed' | 'rolledBack' | 'poison' | 'second'

export interface CrashCase {
  readonly step: Step
  /** What the process was doing, for the test's name. */
  readonly when: string
  /** Whether Segment has accepted the request that is concerned when the process dies. */
  readonly accepted: boolean
  /** What the requests of the process meet, one after the other. */
  readonly faults: readonly RequestFault[]
  /** How often the step is reached, once armed, before the process dies. */
  readonly nth: number
  /** Brings the process to the step. The last order dies with it. */
  readonly story: (stage: Stage) => Promise<void>
}
