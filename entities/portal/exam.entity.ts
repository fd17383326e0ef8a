import { Column, Entity } from 'typeorm'
import { PortalRow } from './portal-row'

/** A sitting with a fixed number of seats. */
@Entity('portal_exam')
export class Exam extends PortalRow {
  /** Unique in the portal. */
  @Column('text')
  title!: string

  @Column('uuid', { name: 'test_id' })
  testId!: string

  @Column('timestamptz', { name: 'starts_at' })
  startsAt!: Date

  @Column('integer')
  capacity!: number

  /** Never more than `capacity`, which the database checks too. */
  @Column('integer', { name: 'seats_taken', default: 0 })
  seatsTaken!: number

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date
}

/** A user's seat in an exam: one for each user. */
@Entity('portal_exam_registration')
export class ExamRegistration extends PortalRow {
  @Column('uuid', { name: 'exam_id' })
  examId!: string

  @Column('uuid', { name: 'user_id' })
  userId!: string

  @Column('uuid', { name: 'enrolled_by_id' })
  enrolledById!: string

  @Column('timestamptz', { name: 'registered_at' })
  registeredAt!: Date
}
