import { MAX_MESSAGE_ID_LENGTH } from './limits'
import type { DiscardReason, SegmentMessage } from './messages'

/** The calls of the API; each also has a path of its own, `/v1/<type>`. */
export const CALL_TYPES: ReadonlySet<unknown> = new Set([
  'identify',
  'track',
  'page',
  'screen',
  'group',
  'alias',
])

export function isMessage(value: unknown): value is SegmentMessage {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An id or name as text, a number too; undefined where it is missing or empty. */
export function textField(message: SegmentMessage, field: string): string | undefined {
  const value = message[field]
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' ? value : undefined
}

/**
 * Why Segment drops a message after having answered 200, or undefined if it is valid.
 * Sources: Segment, "HTTP API Source", section "Errors"; "Spec: Group"; "Handling Duplicate Data". The first
 * speaks of a `no_user_anon_id` error too; that it comes with a 200 follows from its "200 for all API requests
 * except errors caused by large payloads and JSON errors".
 */
export function whyInvalid(message: SegmentMessage): DiscardReason | undefined {
  if (!CALL_TYPES.has(message.type)) return 'malformed'
  if (!textField(message, 'userId') && !textField(message, 'anonymousId')) return 'no-user-or-anonymous-id'
  if (message.type === 'track' && !textField(message, 'event')) return 'track-without-event'
  if (message.type === 'group' && !textField(message, 'groupId')) return 'group-without-group-id'
  if ((textField(message, 'messageId')?.length ?? 0) > MAX_MESSAGE_ID_LENGTH) return 'message-id-too-long'
  return undefined
}
