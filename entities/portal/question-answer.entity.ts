import { Column, Entity } from 'typeorm'
import { PortalRow } from './portal-row'

/** The answer to one question in one attempt, as it stands. */
@Entity('portal_question_answer')
export class QuestionAnswer extends PortalRow {
  @Column('uuid', { name: 'attempt_id' })
  attemptId!: string

  @Column('uuid', { name: 'question_id' })
  questionId!: string

  /** 1 for the first answer, one more for each change. */
  @Column('integer')
  revision!: number

  /** The choice, for multiple choice. */
  @Column('integer', { nullable: true })
  option!: number | null

  /** The essay. */
  @Column('text', { nullable: true })
  text!: string | null

  /** Null until it is marked: multiple choice at submission, an essay by a teacher. */
  @Column('integer', { nullable: true })
  score!: number | null

  @Column('timestamptz', { name: 'answered_at' })
  answeredAt!: Date
}
