import type { EntityManager } from 'typeorm'
import { type QuestionAnswer, Test, TestAttempt, type TestQuestion } from '../../../entities/portal'
import type { SynapCall } from '../context'
import { durationSeconds } from './attempts'
import { maxScoreOf } from './questions'

/**
 * Completes a submitted attempt whose answers are all marked, and returns the `Completed Test` call for the caller to
 * record in the same transaction. The attempt's row must be locked.
 */
export async function completeAttempt(
  tx: EntityManager,
  attempt: TestAttempt,
  work: { questions: readonly TestQuestion[]; answers: readonly QuestionAnswer[] },
  now: Date,
): Promise<SynapCall> {
  const { passPercentage } = await tx.findOneByOrFail(Test, { id: attempt.testId })
  const score = work.answers.reduce((sum, answer) => sum + (answer.score ?? 0), 0)
  const maxScore = maxScoreOf(work.questions)
  const submittedAt = attempt.submittedAt ?? now
  const result = { submittedAt, completedAt: now, score }
  await tx.update(TestAttempt, attempt.id, result)
  Object.assign(attempt, result)
  return {
    type: 'track',
    event: 'Completed Test',
    portalId: attempt.portalId,
    userId: attempt.userId,
    timestamp: now,
    properties: {
      testId: attempt.testId,
      attemptId: attempt.id,
      attemptNumber: attempt.attemptNumber,
      assignmentId: attempt.assignmentId ?? undefined,
      questionCount: work.questions.length,
      score,
      maxScore,
      percentage: Math.round((score / maxScore) * 10_000) / 100,
      passed: score * 100 >= passPercentage * maxScore,
      durationSeconds: durationSeconds(attempt, submittedAt),
      requiresMarking: work.answers.some((answer) => answer.text !== null),
      submittedAt,
    },
  }
}
