import type { MessageStatus, MessageType } from '../../../entities'
import { OperationError } from '../../errors'
import type { Selection } from '../../operate/selection'

/** What a selection or a filter is made of in an address or a form, by the names that `Selection` has for it. */
export type SelectionQuery = Record<string, string | undefined>

export const STATUSES = ['pending', 'delivered', 'dead', 'uncertain', 'discarded'] as const
export const TYPES = ['track', 'identify', 'page', 'group'] as const

const TEXTS = ['sourceId', 'portalId', 'event', 'userId', 'anonymousId', 'reason'] as const

/** Throws OperationError for a value that cannot be meant. */
export function readSelection(given: (name: string) => string | null | undefined): Selection {
  const selection: Selection = {}
  for (const name of TEXTS) selection[name] = readText(name, given(name))
  const ids = given('messageIds')
  if (ids) selection.messageIds = ids.split(',')
  const status = given('status')
  if (status) selection.status = status.split(',').map((one) => oneOf<MessageStatus>('status', one, STATUSES))
  const type = given('type')
  if (type) selection.type = oneOf<MessageType>('type', type, TYPES)
  selection.recordedFrom = readTime(given('recordedFrom'))
  selection.recordedTo = readTime(given('recordedTo'))
  return selection
}

function readText(name: string, given: string | null | undefined): string | undefined {
  if (!given?.includes('\0')) return given || undefined
  throw notMeant(
    `${name} has a character that no text in the database has.`,
    'Choose the messages from a page instead of an address.',
  )
}

export function selectionQuery(selection: Selection): SelectionQuery {
  const { messageIds, status, type, recordedFrom, recordedTo } = selection
  return {
    ...Object.fromEntries(TEXTS.map((name) => [name, selection[name]])),
    messageIds: messageIds?.join(','),
    status: status?.join(','),
    type,
    recordedFrom: recordedFrom?.toISOString(),
    recordedTo: recordedTo?.toISOString(),
  }
}

export function oneOf<Value extends string>(name: string, given: string, known: readonly Value[]): Value {
  const value = known.find((one) => one === given)
  if (value !== undefined) return value
  throw notMeant(`"${given}" is not a ${name}.`, `Choose one of ${known.join(', ')}.`)
}

/** A moment in UTC, as a field of a form gives it (`2026-11-23T18:04`) or an address has it (with a Z). */
export function readTime(given: string | null | undefined): Date | undefined {
  if (!given) return undefined
  const at = new Date(/[Zz]$|[+-]\d\d:?\d\d$/.test(given) ? given : `${given}Z`)
  if (!Number.isNaN(at.getTime())) return at
  throw notMeant(`"${given}" is not a moment in time.`, 'Write it like 2026-11-23T18:04, in UTC.')
}

export function notMeant(happened: string, remedy: string): OperationError {
  return new OperationError(
    happened,
    'What cannot be meant would select something else than what was asked for.',
    remedy,
  )
}
