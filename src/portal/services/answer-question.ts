import { QuestionAnswer, Test, type TestAttempt, TestQuestion } from '../../../entities/portal'
import type { Actor, PortalContext } from '../context'
import { ConflictError, NotFoundError, ValidationError } from '../errors'
import { durationSeconds, lockAttempt } from './attempts'

/** One of the two, as the question asks for: the index of an option, or an essay. */
export interface AnswerInput {
  option?: number | undefined
  text?: string | undefined
}

/**
 * Answers a question of the user's own open attempt, or changes the answer. Records `Question Answered`, with a new
 * revision for each change; the same answer again is no change. Multiple choice is marked at once.
 *
 * Throws ConflictError `attempt-submitted` or `time-is-up`, and ValidationError for an answer of the wrong kind.
 */
export async function answerQuestion(
  { dataSource, outbox, clock }: PortalContext,
  actor: Actor,
  { attemptId, questionId, answer }: { attemptId: string; questionId: string; answer: AnswerInput },
): Promise<QuestionAnswer> {
  const { portalId, userId } = actor
  return dataSource.transaction(async (tx) => {
    // Locked, so that no answer slips into an attempt that is being submitted and scored.
    const attempt = await lockAttempt(tx, attemptId, { portalId, userId })
    const now = clock()
    requireOpen(attempt, await tx.findOneByOrFail(Test, { id: attempt.testId }), now)
    const question = await tx.findOneBy(TestQuestion, { id: questionId, testId: attempt.testId })
    if (!question) throw new NotFoundError('question in this test')
    const { option = null, text = null } = answer
    const score = mark(question, answer)
    const earlier = await tx.findOneBy(QuestionAnswer, { attemptId, questionId })
    if (earlier && earlier.option === option && earlier.text === text) return earlier
    const revision = (earlier?.revision ?? 0) + 1
    const current = { revision, option, text, score, answeredAt: now }
    const row = earlier ?? tx.create(QuestionAnswer, { portalId, attemptId, questionId })
    const saved = await tx.save(Object.assign(row, current))
    await outbox.track(tx, 'Question Answered', {
      portalId,
      userId,
      timestamp: now,
      properties: {
        testId: attempt.testId,
        attemptId,
        questionId,
        questionNumber: question.position,
        questionType: question.type,
        revision,
        correct: score === null ? undefined : score > 0,
      },
    })
    return saved
  })
}

function requireOpen(attempt: TestAttempt, { timeLimitSeconds }: Test, now: Date): void {
  if (attempt.submittedAt !== null) {
    throw new ConflictError('attempt-submitted', 'The attempt is submitted; its answers are final.')
  }
  if (timeLimitSeconds !== null && durationSeconds(attempt, now) > timeLimitSeconds) {
    throw new ConflictError('time-is-up', 'The time is up. Submit the attempt.')
  }
}

/** The marks for a choice; null for an essay, which a teacher marks. */
function mark(question: TestQuestion, { option, text }: AnswerInput): number | null {
  if (question.type === 'essay') {
    if (text !== undefined && option === undefined) return null
    throw new ValidationError({ text: 'This question asks for an essay, and nothing else.' })
  }
  if (option === undefined || text !== undefined) {
    throw new ValidationError({ option: 'This question asks for one of its options, and nothing else.' })
  }
  if (option >= question.options.length) throw new ValidationError({ option: 'There is no such option.' })
  return option === question.correctOption ? question.maxScore : 0
}
