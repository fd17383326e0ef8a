import type { DispatchReport } from '../../../src/dispatch/dispatcher'
import type { PruneReport } from '../../../src/operate/prune'
import type { Step } from '../../../src/steps'

/** A business fact: one row in `exam_fact` and one event, in one transaction. */
export interface Fact {
  id: string
  portalId: string
  /** The transaction fails after both were written. */
  rolledBack?: boolean
  /** Segment will refuse its event. */
  poison?: boolean
}

/** The committed rows of this table are the truth that the local Segment's log is compared with. */
export const FACT_TABLE = `
  CREATE TABLE exam_fact (n bigint GENERATED ALWAYS AS IDENTITY, id text PRIMARY KEY, portal_id text NOT NULL,
                          poison boolean NOT NULL, recorder int NOT NULL)`

/** The `testId` of poison. */
export const POISON = 'poison'

/** What a process says as it pauses itself. */
export const PAUSED = 'paused'

export const SECRET_KEYS = `k1:${Buffer.alloc(32, 9).toString('base64')}`

/** How a process is set up. Pauses after failures are milliseconds, and its schedules never tick unless told to. */
export interface Setup {
  databaseUrl: string
  segmentUrl: string
  dispatcher?: Record<string, unknown>
  retention?: Record<string, unknown>
  timeoutMs?: number
  /** Connections in the pool. */
  pool?: number
}

/** What a process can be asked to do, and what it answers. */
export interface Orders {
  /** May be given again, after `stop`. */
  open: { with: Setup; answer: null }
  /** From now on: SIGKILL to itself, the `nth` time it reaches the step; any step where none is named. */
  crashAt: { with: { step?: Step; nth: number }; answer: null }
  /** The same with SIGSTOP, and `PAUSED` on its output in the moment before. */
  pauseAt: { with: { step?: Step; nth: number }; answer: null }
  /** From now on the process's own clock is so many milliseconds off. */
  setHostClock: { with: { offsetMs: number }; answer: null }
  record: { with: Fact[]; answer: null }
  start: { with: null; answer: null }
  drain: { with: null; answer: DispatchReport }
  prune: { with: null; answer: PruneReport }
  stop: { with: null; answer: null }
  /** The steps reached since `open`, in their order. */
  steps: { with: null; answer: Step[] }
}

export type Order = keyof Orders

export interface OrderMessage {
  number: number
  order: Order
  with: unknown
}

export type ProcessMessage =
  | { number: number; answer: unknown }
  | { number: number; error: string }
  | { event: string; payload: unknown }
