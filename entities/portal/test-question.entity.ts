import { Column, Entity } from 'typeorm'
import { PortalRow } from './portal-row'

export type QuestionType = 'multiple-choice' | 'essay'

@Entity('portal_test_question')
export class TestQuestion extends PortalRow {
  @Column('uuid', { name: 'test_id' })
  testId!: string

  /** 1, 2, … in its test. */
  @Column('integer')
  position!: number

  /** Multiple choice is marked by the portal, an essay by a teacher. */
  @Column('text')
  type!: QuestionType

  @Column('text')
  prompt!: string

  /** The choices; empty for an essay. */
  @Column('jsonb', { default: [] })
  options!: string[]

  /** Index into `options`; null for an essay. Never sent to a student. */
  @Column('integer', { name: 'correct_option', nullable: true })
  correctOption!: number | null

  @Column('integer', { name: 'max_score' })
  maxScore!: number
}
