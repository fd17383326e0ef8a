import type { EntityManager } from 'typeorm'
import {
  Assignment,
  AssignmentStart,
  PortalUser,
  Test,
  TestAttempt,
  TestQuestion,
} from '../../../entities/portal'
import type { Actor, PortalContext } from '../context'
import { ConflictError, NotFoundError } from '../errors'
import { findQuestions, maxScoreOf } from './questions'

export interface BegunAttempt {
  attempt: TestAttempt
  questions: TestQuestion[]
  /** False when the user's open attempt at the test goes on. */
  created: boolean
}

/**
 * Begins an attempt at a test. Records `Began Test`. A user who has an open attempt at it goes on with that one.
 *
 * Throws ConflictError `attempt-limit-reached`, `test-empty`, or `assignment-not-started` when it is begun for an
 * assignment that the user has not started.
 */
export async function beginTest(
  { dataSource, outbox, clock }: PortalContext,
  actor: Actor,
  { testId, assignmentId = null }: { testId: string; assignmentId?: string | null | undefined },
): Promise<BegunAttempt> {
  const { portalId, userId } = actor
  return dataSource.transaction(async (tx) => {
    const test = await tx.findOneBy(Test, { id: testId, portalId })
    if (!test) throw new NotFoundError('test')
    const questions = await findQuestions(tx, testId)
    // One begin at a time for a user: counting attempts and adding one must not be done by two clicks at once.
    const lock = { mode: 'for_no_key_update' } as const
    await tx.findOneOrFail(PortalUser, { where: { id: userId }, select: { id: true }, lock })
    const earlier = await tx.find(TestAttempt, {
      where: { userId, testId },
      order: { attemptNumber: 'DESC' },
    })
    const open = earlier.find((attempt) => attempt.submittedAt === null)
    if (open) return { attempt: open, questions, created: false }
    if (earlier.length >= test.attemptLimit) {
      throw new ConflictError('attempt-limit-reached', `This test allows ${test.attemptLimit} attempts.`)
    }
    if (questions.length === 0) throw new ConflictError('test-empty', 'This test has no questions yet.')
    if (assignmentId !== null) await requireStarted(tx, { assignmentId, testId, portalId, userId })
    const attempt = await tx.save(
      tx.create(TestAttempt, {
        portalId,
        testId,
        userId,
        assignmentId,
        attemptNumber: (earlier[0]?.attemptNumber ?? 0) + 1,
        startedAt: clock(),
        submittedAt: null,
        completedAt: null,
        score: null,
      }),
    )
    await outbox.track(tx, 'Began Test', {
      portalId,
      userId,
      timestamp: attempt.startedAt,
      properties: {
        testId,
        attemptId: attempt.id,
        attemptNumber: attempt.attemptNumber,
        assignmentId: assignmentId ?? undefined,
        questionCount: questions.length,
        maxScore: maxScoreOf(questions),
        timeLimitSeconds: test.timeLimitSeconds ?? undefined,
      },
    })
    return { attempt, questions, created: true }
  })
}

async function requireStarted(
  tx: EntityManager,
  {
    assignmentId,
    testId,
    portalId,
    userId,
  }: Record<'assignmentId' | 'testId' | 'portalId' | 'userId', string>,
): Promise<void> {
  if (!(await tx.existsBy(Assignment, { id: assignmentId, portalId, testId }))) {
    throw new NotFoundError('assignment of this test')
  }
  if (!(await tx.existsBy(AssignmentStart, { assignmentId, userId }))) {
    throw new ConflictError('assignment-not-started', 'Start the assignment before its test.')
  }
}
