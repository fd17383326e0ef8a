import { QuestionAnswer, type TestAttempt, type TestQuestion } from '../../../entities/portal'
import type { Actor, PortalContext } from '../context'
import { ConflictError, ValidationError } from '../errors'
import { lockAttempt } from './attempts'
import { completeAttempt } from './complete-attempt'
import { findQuestions } from './questions'
import { requireStaff } from './roles'

export interface Mark {
  questionId: string
  score: number
}

/**
 * A teacher or an admin marks essays of a submitted attempt, some or all. With the last of them the test is completed
 * and `Completed Test` recorded, for the user whose attempt it is.
 *
 * Throws ForbiddenError `staff-only`, ConflictError `attempt-open` or `attempt-completed`, and ValidationError for
 * marks that no essay of the attempt can have.
 */
export async function markAttempt(
  { dataSource, outbox, clock }: PortalContext,
  actor: Actor,
  { attemptId, marks }: { attemptId: string; marks: readonly Mark[] },
): Promise<TestAttempt> {
  requireStaff(actor)
  return dataSource.transaction(async (tx) => {
    const attempt = await lockAttempt(tx, attemptId, { portalId: actor.portalId })
    if (attempt.submittedAt === null)
      throw new ConflictError('attempt-open', 'The attempt is not submitted yet.')
    if (attempt.completedAt !== null)
      throw new ConflictError('attempt-completed', 'The attempt is marked already.')
    const questions = await findQuestions(tx, attempt.testId)
    const answers = await tx.findBy(QuestionAnswer, { attemptId })
    await tx.save(applyMarks(marks, questions, answers))
    if (answers.every((answer) => answer.score !== null)) {
      await outbox.record(tx, [await completeAttempt(tx, attempt, { questions, answers }, clock())])
    }
    return attempt
  })
}

function applyMarks(
  marks: readonly Mark[],
  questions: readonly TestQuestion[],
  answers: readonly QuestionAnswer[],
): QuestionAnswer[] {
  return marks.map(({ questionId, score }, i) => {
    const question = questions.find((candidate) => candidate.id === questionId)
    const answer = answers.find((candidate) => candidate.questionId === questionId)
    if (question?.type !== 'essay' || !answer) {
      throw new ValidationError({ [`marks.${i}.questionId`]: 'The attempt has no essay for this question.' })
    }
    if (score > question.maxScore) {
      throw new ValidationError({
        [`marks.${i}.score`]: `This question has ${question.maxScore} marks to be had.`,
      })
    }
    return Object.assign(answer, { score })
  })
}
