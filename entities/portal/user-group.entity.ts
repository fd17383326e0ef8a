import { Column, Entity, PrimaryColumn } from 'typeorm'
import { PortalRow } from './portal-row'

/** A class, a cohort, a department: users of one portal that belong together. */
@Entity('portal_user_group')
export class UserGroup extends PortalRow {
  /** Unique in the portal. */
  @Column('text')
  name!: string

  /** Whether users may join by themselves. */
  @Column('boolean', { default: true })
  open!: boolean

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date
}

@Entity('portal_user_group_member')
export class UserGroupMember {
  @PrimaryColumn('uuid', { name: 'group_id' })
  groupId!: string

  @PrimaryColumn('uuid', { name: 'user_id' })
  userId!: string

  @Column('uuid', { name: 'portal_id' })
  portalId!: string

  @Column('timestamptz', { name: 'joined_at' })
  joinedAt!: Date
}
