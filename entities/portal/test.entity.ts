import { Column, Entity } from 'typeorm'
import { PortalRow } from './portal-row'

@Entity('portal_test')
export class Test extends PortalRow {
  /** Unique in the portal. */
  @Column('text')
  title!: string

  /** Attempts each user has. */
  @Column('integer', { name: 'attempt_limit', default: 1 })
  attemptLimit!: number

  /** No answer is taken later than this after the start; a submission always is. Null: no limit. */
  @Column('integer', { name: 'time_limit_seconds', nullable: true })
  timeLimitSeconds!: number | null

  /** Percentage that passes. */
  @Column('integer', { name: 'pass_percentage', default: 50 })
  passPercentage!: number

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date
}
