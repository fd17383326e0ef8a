import { Column, Entity } from 'typeorm'
import { PortalRow } from './portal-row'

/** A test that is set for a user group, or for everyone, to be done by a moment. */
@Entity('portal_assignment')
export class Assignment extends PortalRow {
  /** Unique in the portal. */
  @Column('text')
  title!: string

  @Column('uuid', { name: 'test_id' })
  testId!: string

  /** Null: set for everyone in the portal. */
  @Column('uuid', { name: 'group_id', nullable: true })
  groupId!: string | null

  /** It cannot be started later. Null: never closes. */
  @Column('timestamptz', { name: 'due_at', nullable: true })
  dueAt!: Date | null

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date
}

/** A user started an assignment: once, whatever happens. */
@Entity('portal_assignment_start')
export class AssignmentStart extends PortalRow {
  @Column('uuid', { name: 'assignment_id' })
  assignmentId!: string

  @Column('uuid', { name: 'user_id' })
  userId!: string

  @Column('timestamptz', { name: 'started_at' })
  startedAt!: Date
}
