import type { EntityManager } from 'typeorm'
import { TestQuestion } from '../../../entities/portal'

/** The questions of a test, in their order. */
export function findQuestions(tx: EntityManager, testId: string): Promise<TestQuestion[]> {
  return tx.find(TestQuestion, { where: { testId }, order: { position: 'ASC' } })
}

/** The marks to be had. */
export function maxScoreOf(questions: readonly TestQuestion[]): number {
  return questions.reduce((sum, question) => sum + question.maxScore, 0)
}
