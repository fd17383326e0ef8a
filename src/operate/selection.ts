import { z } from 'zod'
import type { MessageStatus, MessageType } from '../../entities'
import { OperationError } from '../errors'

/** Which messages an operation is for. All that is given has to match; at least one member is needed. */
export interface Selection {
  messageIds?: readonly string[]
  sourceId?: string
  portalId?: string
  event?: string
  type?: MessageType
  userId?: string
  anonymousId?: string
  /** In one of these states. What an operation can do nothing about it leaves alone, selected or not. */
  status?: readonly MessageStatus[]
  /** With exactly this reason, as `failures()` groups them. */
  reason?: string
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
    type: z.enum(['identify', 'track', 'page', 'group']).optional(),
    userId: z.string().optional(),
    anonymousId: z.string().optional(),
    status: z
      .array(z.enum(['pending', 'delivered', 'dead', 'uncertain', 'discarded']))
      .min(1)
      .optional(),
    reason: z.string().optional(),
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
  checkSelection(selection)
  checkResponsibility(by)
}

/** Throws OperationError where the selection is empty or has a member that is unknown or no good. */
export function checkSelection(selection: Selection): void {
  const result = schema.safeParse(selection)
  if (result.success) return
  throw new OperationError(
    `The selection is not valid: ${z.prettifyError(result.error)}.`,
    'An operation on messages that were not meant cannot be taken back.',
    `Select by ${Object.keys(schema.shape).join(', ')}.`,
  )
}

/** Throws OperationError where it is not said who does something, and why. */
export function checkResponsibility(by: Responsibility): void {
  if (responsibility.safeParse(by).success) return
  throw new OperationError(
    'It is not said who does this, or why.',
    'The audit trail is how the next engineer understands what happened.',
    'Pass `{ actor: "name", reason: "what happened" }`.',
  )
}

/** Columns that a member of the selection is compared with, and the type of its parameter. */
const COLUMNS = [
  ['messageIds', 'message_id', '= ANY (', 'uuid[]'],
  ['sourceId', 'source_id', '=', 'uuid'],
  ['portalId', 'portal_id', '=', 'text'],
  ['event', 'event', '=', 'text'],
  ['type', 'type', '=', 'text'],
  ['userId', 'user_id', '=', 'text'],
  ['anonymousId', 'anonymous_id', '=', 'text'],
  ['status', 'status', '= ANY (', 'text[]'],
  ['reason', 'reason', '=', 'text'],
  ['recordedFrom', 'recorded_at', '>=', 'timestamptz'],
  ['recordedTo', 'recorded_at', '<', 'timestamptz'],
] as const satisfies readonly (readonly [keyof Selection, string, string, string])[]

/**
 * SQL that holds for selected messages `m`. Every member is a parameter, also those that are not given, the first
 * being `$<at>`; the planner drops what compares nothing, since each statement is planned with its parameters.
 */
export function selectionSql(at: number): string {
  const conditions = COLUMNS.map(([, column, operator, type], i) => {
    const parameter = `$${at + i}::${type}`
    const close = operator.endsWith('(') ? ')' : ''
    return `(${parameter} IS NULL OR m.${column} ${operator} ${parameter}${close})`
  })
  return conditions.join('\n    AND ')
}

/** The parameters of `selectionSql`. */
export function selectionParameters(selection: Selection): unknown[] {
  return COLUMNS.map(([member]) => selection[member] ?? null)
}
