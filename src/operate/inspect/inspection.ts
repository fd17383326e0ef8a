import type { Selection } from '../selection'
import type {
  ActivityOptions,
  ActivityPoint,
  AuditEntry,
  Explanation,
  FailureGroup,
  Finding,
  Health,
  MessageDetail,
  MessageFilter,
  MessagePage,
  Overview,
  PageOptions,
  Preview,
  SourceFilter,
  SourceState,
} from './types'

/** The reading side of the outbox: `outbox.inspect`. Every method is one statement, or a few, of bounded work. */
export interface Inspection {
  overview(): Promise<Overview>
  activity(options: ActivityOptions): Promise<ActivityPoint[]>
  /** Sources, those in the most trouble first. */
  sources(filter?: SourceFilter): Promise<SourceState[]>
  messages(filter?: MessageFilter, page?: PageOptions): Promise<MessagePage>
  message(messageId: string): Promise<MessageDetail | undefined>
  why(messageId: string): Promise<Explanation | undefined>
  /** Dead and uncertain messages by cause, the most recent cause first; at most 200 groups. */
  failures(filter?: { portalId?: string; sourceId?: string }): Promise<FailureGroup[]>
  /** What an operation on these messages would find. */
  preview(selection: Selection): Promise<Preview>
  /** What people did, newest first. */
  audit(page?: { before?: string; limit?: number; sourceId?: string }): Promise<AuditEntry[]>
  doctor(): Promise<Finding[]>
  health(): Promise<Health>
}
