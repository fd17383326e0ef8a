import type { EntityManager } from 'typeorm'
import { TestAttempt } from '../../../entities/portal'
import type { Actor, PortalContext } from '../context'
import { NotFoundError } from '../errors'

/**
 * The attempt, locked until the transaction ends: answering, submitting and marking the same attempt take turns.
 * Throws NotFoundError where `owner` has no such attempt.
 */
export async function lockAttempt(
  tx: EntityManager,
  attemptId: string,
  owner: { portalId: string; userId?: string },
): Promise<TestAttempt> {
  const attempt = await tx.findOne(TestAttempt, {
    where: { id: attemptId, ...owner },
    lock: { mode: 'for_no_key_update' },
  })
  if (!attempt) throw new NotFoundError('attempt')
  return attempt
}

/** An attempt, for its user and for staff. */
export async function readAttempt(
  { dataSource }: PortalContext,
  { portalId, userId, role }: Actor,
  attemptId: string,
): Promise<TestAttempt> {
  const owner = role === 'student' ? { portalId, userId } : { portalId }
  const attempt = await dataSource.manager.findOneBy(TestAttempt, { id: attemptId, ...owner })
  if (!attempt) throw new NotFoundError('attempt')
  return attempt
}

/** Whole seconds from start to `end`. Never negative, should the clock have been set back between the two. */
export function durationSeconds({ startedAt }: Pick<TestAttempt, 'startedAt'>, end: Date): number {
  return Math.max(0, Math.floor((end.getTime() - startedAt.getTime()) / 1000))
}
