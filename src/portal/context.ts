import type { AnyCall, Outbox, synapPlan } from 'synap-outbox'
import type { DataSource } from 'typeorm'
import type { PortalRole } from '../../entities/portal'

/** The outbox with Synap's tracking plan: its calls are typed from that plan. */
export type PortalOutbox = Outbox<typeof synapPlan>

/** Any call of the plan, for `outbox.record`. */
export type SynapCall = AnyCall<typeof synapPlan>

/** What every domain service needs. Made once, by `createPortalApp`. */
export interface PortalContext {
  readonly dataSource: DataSource
  readonly outbox: PortalOutbox
  /** The present moment. Every timestamp that a service stores or records comes from it. */
  readonly clock: () => Date
  readonly settings: PortalSettings
}

export interface PortalSettings {
  /** A session unheard of for this long is restored by its next request. Milliseconds, default 30 minutes. */
  readonly idleMs: number
  /** After this a user has to log in again, however active. Milliseconds, default 30 days. */
  readonly sessionLifetimeMs: number
  /** log2 of scrypt's N: one more doubles the work of a log-in, and of guessing. Default 15 (OWASP, with p = 3). */
  readonly passwordCost: number
}

export const defaultSettings: PortalSettings = {
  idleMs: 30 * 60_000,
  sessionLifetimeMs: 30 * 24 * 3_600_000,
  passwordCost: 15,
}

/** The logged-in user on whose behalf a service acts. It can only ever reach rows of `portalId`. */
export interface Actor {
  readonly portalId: string
  readonly userId: string
  readonly sessionId: string
  readonly role: PortalRole
}
