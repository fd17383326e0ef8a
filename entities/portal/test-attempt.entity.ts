import { Column, Entity } from 'typeorm'
import { PortalRow } from './portal-row'

/** One user's attempt at one test: open, then submitted, then completed (at once, where nothing needs marking). */
@Entity('portal_test_attempt')
export class TestAttempt extends PortalRow {
  @Column('uuid', { name: 'test_id' })
  testId!: string

  @Column('uuid', { name: 'user_id' })
  userId!: string

  /** The assignment that it was begun for. */
  @Column('uuid', { name: 'assignment_id', nullable: true })
  assignmentId!: string | null

  /** 1, 2, … for the user and the test. */
  @Column('integer', { name: 'attempt_number' })
  attemptNumber!: number

  @Column('timestamptz', { name: 'started_at' })
  startedAt!: Date

  @Column('timestamptz', { name: 'submitted_at', nullable: true })
  submittedAt!: Date | null

  @Column('timestamptz', { name: 'completed_at', nullable: true })
  completedAt!: Date | null

  /** Set with `completedAt`. */
  @Column('integer', { nullable: true })
  score!: number | null
}
