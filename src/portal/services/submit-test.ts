import { QuestionAnswer, TestAttempt } from '../../../entities/portal'
import type { Actor, PortalContext, SynapCall } from '../context'
import { ConflictError } from '../errors'
import { durationSeconds, lockAttempt } from './attempts'
import { completeAttempt } from './complete-attempt'
import { findQuestions, maxScoreOf } from './questions'

/**
 * Submits the user's own open attempt. Records `Submitted Test`; where no answer needs a person to mark it, the test
 * is completed in the same transaction, and `Completed Test` is recorded with it.
 *
 * Throws ConflictError `attempt-submitted` when it was submitted before. A double click sends two submissions at
 * once: they queue for the attempt's row, and the second finds it submitted.
 */
export async function submitTest(
  { dataSource, outbox, clock }: PortalContext,
  actor: Actor,
  attemptId: string,
): Promise<TestAttempt> {
  const { portalId, userId } = actor
  return dataSource.transaction(async (tx) => {
    const attempt = await lockAttempt(tx, attemptId, { portalId, userId })
    if (attempt.submittedAt !== null) {
      throw new ConflictError('attempt-submitted', 'The attempt is submitted already.')
    }
    const now = clock()
    const questions = await findQuestions(tx, attempt.testId)
    const answers = await tx.findBy(QuestionAnswer, { attemptId })
    const requiresMarking = answers.some((answer) => answer.score === null)
    attempt.submittedAt = now
    const submitted: SynapCall = {
      type: 'track',
      event: 'Submitted Test',
      portalId,
      userId,
      timestamp: now,
      properties: {
        testId: attempt.testId,
        attemptId,
        attemptNumber: attempt.attemptNumber,
        assignmentId: attempt.assignmentId ?? undefined,
        questionCount: questions.length,
        answeredCount: answers.length,
        durationSeconds: durationSeconds(attempt, now),
        requiresMarking,
        autoMarkedScore: answers.reduce((sum, answer) => sum + (answer.score ?? 0), 0),
        maxScore: maxScoreOf(questions),
      },
    }
    if (requiresMarking) {
      await tx.update(TestAttempt, attemptId, { submittedAt: now })
      await outbox.record(tx, [submitted])
    } else {
      const completed = await completeAttempt(tx, attempt, { questions, answers }, now)
      await outbox.record(tx, [submitted, completed])
    }
    return attempt
  })
}
