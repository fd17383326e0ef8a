import { Column, Entity } from 'typeorm'
import { PortalRow } from './portal-row'

export type PortalRole = 'student' | 'teacher' | 'admin'
export type MarketingEmailsConsent = 'removed' | 'pending' | 'confirmed'

/** A value that a portal keeps in an attribute of its own. */
export type AttributeValue = string | number | boolean

/** A user of one portal. The same person in two portals is two users. */
@Entity('portal_user')
export class PortalUser extends PortalRow {
  /** Unique in the portal, whatever its case. */
  @Column('text')
  email!: string

  @Column('boolean', { name: 'email_verified', default: false })
  emailVerified!: boolean

  /** `scrypt$<cost>$<salt>$<hash>`: see `passwords.ts`. */
  @Column('text', { name: 'password_hash', select: false })
  passwordHash!: string

  @Column('text', { name: 'first_name' })
  firstName!: string

  @Column('text', { name: 'last_name' })
  lastName!: string

  @Column('text')
  role!: PortalRole

  @Column('text', { name: 'marketing_emails_consent', default: 'pending' })
  marketingEmailsConsent!: MarketingEmailsConsent

  @Column('text', { name: 'profile_picture', nullable: true })
  profilePicture!: string | null

  /** The portal's own attributes, named without the `EI-` that Segment sees. */
  @Column('jsonb', { default: {} })
  attributes!: Record<string, AttributeValue>

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date
}
