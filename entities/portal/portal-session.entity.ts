import { Column, Entity } from 'typeorm'
import { PortalRow } from './portal-row'

/** From an explicit log-in until the user logs out or it expires. */
@Entity('portal_session')
export class PortalSession extends PortalRow {
  @Column('uuid', { name: 'user_id' })
  userId!: string

  /** SHA-256 of the bearer token, which only its user has. */
  @Column('bytea', { name: 'token_hash', select: false })
  tokenHash!: Buffer

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date

  /** Not touched by every request: see `authenticate.ts`. */
  @Column('timestamptz', { name: 'last_seen_at' })
  lastSeenAt!: Date

  /** How often the user came back to it after a period of inactivity. */
  @Column('integer', { name: 'restore_count', default: 0 })
  restoreCount!: number

  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt!: Date | null
}
