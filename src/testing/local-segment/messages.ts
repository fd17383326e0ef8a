/** Segment's regions. A write key belongs to one; the other region's host answers 200 and drops its events. */
export type Region = 'us' | 'eu'

/** A call as it came over the wire. */
export type SegmentMessage = Readonly<Record<string, unknown>>

/** A message that arrived, with what Segment makes of it. */
export interface ArrivedMessage {
  /** As sent, or generated on arrival. */
  readonly messageId: string
  readonly type: string
  readonly event: string | undefined
  readonly userId: string | undefined
  readonly anonymousId: string | undefined
  readonly groupId: string | undefined
  readonly writeKey: string
  /** The host it was sent to. */
  readonly region: Region
  readonly receivedAt: Date
  readonly sentAt: Date | undefined
  /** The `timestamp` of the call as sent. */
  readonly originalTimestamp: Date | undefined
  /** `receivedAt − (sentAt − originalTimestamp)`. Source: Segment, "Spec: Common Fields". */
  readonly timestamp: Date
  /** The call itself, not a copy; treat it as frozen. */
  readonly message: SegmentMessage
  /** Leads to the request among `requests()`. */
  readonly requestId: string
}

/** Why a message was answered with 200 and yet never reached the workspace. */
export type DiscardReason =
  | 'unknown-write-key'
  | 'wrong-region'
  | 'batch-too-long'
  | 'malformed'
  | 'no-user-or-anonymous-id'
  | 'track-without-event'
  | 'group-without-group-id'
  | 'message-id-too-long'
  | 'blocked-event'

export interface DiscardedMessage extends ArrivedMessage {
  readonly reason: DiscardReason
}

/** Fields that must be equal, or a function that picks messages. */
export type MessageFilter =
  | Partial<
      Pick<
        ArrivedMessage,
        | 'messageId'
        | 'type'
        | 'event'
        | 'userId'
        | 'anonymousId'
        | 'groupId'
        | 'writeKey'
        | 'region'
        | 'requestId'
      >
    >
  | ((message: ArrivedMessage) => boolean)

/** The test that a filter describes; an undefined field of it is no condition. */
export function toPredicate(filter: MessageFilter): (message: ArrivedMessage) => boolean {
  if (typeof filter === 'function') return filter
  const fields = Object.entries(filter).filter(([, value]) => value !== undefined)
  return (message) => fields.every(([field, value]) => message[field as keyof ArrivedMessage] === value)
}
