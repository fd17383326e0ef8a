import { z } from 'zod'
import { OperationError } from '../errors'

/** Which messages an operation is for. All that is given has to match; at least one member is needed. */
export interface Selection {
  messageIds?: readonly string[]
  sourceId?: string
  portalId?: string
  event?: string
  userId?: string
  /** Recorded at this moment or later. */
  recordedFrom?: Date
  /** Recorded before this moment. */
  recordedTo?: Date
}

/** Who does it, and why: both go into the audit. */
export interface Responsibility {
  actor: string
  reason: string
}

const schema = z
  .strictObject({
    messageIds: z.array(z.guid()).optional(),
    sourceId: z.guid().optional(),
    portalId: z.string().optional(),
    event: z.string().optional(),
    userId: z.string().optional(),
    recordedFrom: z.date().optional(),
    recordedTo: z.date().optional(),
  })
  .refine((selection) => Object.values(selection).some((value) => value !== undefined), 'it is empty')

const responsibility = z.object({
  actor: z.string().trim().min(1),
  reason: z.string().trim().min(1).max(500),
})

/** Throws OperationError where the selection or who is responsible is not given properly. */
export function checkOperation(selection: Selection, by: Responsibility): void {
  const result = schema.safeParse(selection)
  if (!result.success) {
    throw new OperationError(
      `The selection is not valid: ${z.prettifyError(result.error)}.`,
      'An operation on messages that were not meant cannot be taken back.',
      'Select by messageIds, sourceId, portalId, event, userId, recordedFrom or recordedTo.',
    )
  }
  if (!responsibility.safeParse(by).success) {
    throw new OperationError(
      'It is not said who does this, or why.',
      'The audit trail is how the next engineer understands these messages.',
      'Pass `{ actor: "name", reason: "what happened" }`.',
    )
  }
}

/** SQL that holds for selected messages `m`. Every member is a parameter; the first is `$<at>`. */
export function selectionSql(at: number): string {
  const p = (i: number) => `$${at + i}`
  return `($${at}::uuid[] IS NULL OR m.message_id = ANY (${p(0)}::uuid[]))
    AND (${p(1)}::uuid IS NULL OR m.source_id = ${p(1)}::uuid)
    AND (${p(2)}::text IS NULL OR m.portal_id = ${p(2)}::text)
    AND (${p(3)}::text IS NULL OR m.event = ${p(3)}::text)
    AND (${p(4)}::text IS NULL OR m.user_id = ${p(4)}::text)
    AND (${p(5)}::timestamptz IS NULL OR m.recorded_at >= ${p(5)}::timestamptz)
    AND (${p(6)}::timestamptz IS NULL OR m.recorded_at < ${p(6)}::timestamptz)`
}

/** The parameters of `selectionSql`. */
export function selectionParameters(selection: Selection): unknown[] {
  const { messageIds, sourceId, portalId, event, userId, recordedFrom, recordedTo } = selection
  return [messageIds, sourceId, portalId, event, userId, recordedFrom, recordedTo].map(
    (value) => value ?? null,
  )
}
