import type {
  EventName,
  EventProperties,
  GroupTraits,
  IdentifyTraits,
  PageProperties,
  Plan,
} from '../plan/define-plan'

/** Who did it: the Synap user ID wherever there is a user, an anonymous ID otherwise, or both. */
export type Identity = { userId: string; anonymousId?: string } | { userId?: undefined; anonymousId: string }

/** What every call may carry. */
export type CallBase = Identity & {
  /** The portal the fact belongs to; its active source decides where it goes. */
  portalId: string
  /** When it happened. Default: now, on this host's clock. */
  timestamp?: Date | string
  /** Segment's context (ip, locale, userAgent, …). */
  context?: Record<string, unknown>
  /** Which of the portal's destinations get it. Switching off Segment itself is refused. */
  integrations?: Record<string, boolean | Record<string, unknown>>
  /** W3C trace context (`traceparent`) of what caused it. Default: the active OpenTelemetry span, if any. */
  traceParent?: string
}

export type TrackCall<P extends Plan, E extends EventName<P>> = CallBase & {
  properties: EventProperties<P, E>
}
export type IdentifyCall<P extends Plan> = CallBase & { traits: IdentifyTraits<P> }
export type GroupCall<P extends Plan> = CallBase & { groupId: string; traits?: GroupTraits<P> }
export type PageCall<P extends Plan> = CallBase & {
  name?: string
  category?: string
  properties?: PageProperties<P>
}

/** Any call, for `record`, which writes many in one statement. */
export type AnyCall<P extends Plan> =
  | { [E in EventName<P>]: { type: 'track'; event: E } & TrackCall<P, E> }[EventName<P>]
  | ({ type: 'identify' } & IdentifyCall<P>)
  | ({ type: 'group' } & GroupCall<P>)
  | ({ type: 'page' } & PageCall<P>)

/** What became of a recorded call. */
export interface Recorded {
  /**
   * `recorded`: a row that will be sent. `duplicate`: the same fact has a row already. `diverted`: it cannot be sent,
   * and is stored dead with the reason. `no-source`: the portal has no active source, nothing was stored.
   * `detailed-off`: a detailed event of a source without Detailed Event Tracking, nothing was stored.
   */
  readonly outcome: 'recorded' | 'duplicate' | 'diverted' | 'no-source' | 'detailed-off'
  /** The row's messageId, where there is a row. */
  readonly messageId?: string
  /** Why it was diverted. */
  readonly problems?: readonly string[]
}
