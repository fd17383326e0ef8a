import { Column, Entity } from 'typeorm'
import { PortalRow } from './portal-row'

/** A return to a session after a period of inactivity: what `restoreCount` of the session counts. */
@Entity('portal_session_restore')
export class SessionRestore extends PortalRow {
  @Column('uuid', { name: 'session_id' })
  sessionId!: string

  /** 1, 2, … for the session. */
  @Column('integer', { name: 'restore_number' })
  restoreNumber!: number

  /** How long nothing had been heard from the user. */
  @Column('integer', { name: 'inactive_seconds' })
  inactiveSeconds!: number

  @Column('timestamptz', { name: 'restored_at' })
  restoredAt!: Date
}
