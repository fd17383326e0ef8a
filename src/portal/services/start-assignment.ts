import type { EntityManager } from 'typeorm'
import { Assignment, AssignmentStart, UserGroupMember } from '../../../entities/portal'
import type { Actor, PortalContext } from '../context'
import { ConflictError, ForbiddenError, NotFoundError } from '../errors'
import { insertNew } from './rows'

export interface StartedAssignment {
  start: AssignmentStart
  assignment: Assignment
  /** False when it had been started before. */
  created: boolean
}

/**
 * Starts an assignment. Records `Assignment Started`, once: starting it again, also at the same moment from two
 * windows, answers the first start.
 *
 * Throws ForbiddenError `not-assigned` where it is set for a group that the user is not in, and ConflictError
 * `assignment-closed` after its due date.
 */
export async function startAssignment(
  { dataSource, outbox, clock }: PortalContext,
  actor: Actor,
  assignmentId: string,
): Promise<StartedAssignment> {
  const { portalId, userId } = actor
  return dataSource.transaction(async (tx) => {
    const assignment = await tx.findOneBy(Assignment, { id: assignmentId, portalId })
    if (!assignment) throw new NotFoundError('assignment')
    const earlier = await tx.findOneBy(AssignmentStart, { assignmentId, userId })
    if (earlier) return { start: earlier, assignment, created: false }
    await requireAssigned(tx, assignment, userId)
    const startedAt = clock()
    if (assignment.dueAt !== null && startedAt > assignment.dueAt) {
      throw new ConflictError('assignment-closed', 'The assignment is past its due date.')
    }
    const [startId] = await insertNew(tx, AssignmentStart, [{ portalId, assignmentId, userId, startedAt }])
    const start = await tx.findOneByOrFail(AssignmentStart, { assignmentId, userId })
    if (startId === undefined) return { start, assignment, created: false }
    await outbox.track(tx, 'Assignment Started', {
      portalId,
      userId,
      timestamp: startedAt,
      properties: {
        startId,
        assignmentId,
        testId: assignment.testId,
        userGroupId: assignment.groupId ?? undefined,
        dueAt: assignment.dueAt ?? undefined,
      },
    })
    return { start, assignment, created: true }
  })
}

async function requireAssigned(tx: EntityManager, { groupId }: Assignment, userId: string): Promise<void> {
  if (groupId === null || (await tx.existsBy(UserGroupMember, { groupId, userId }))) return
  throw new ForbiddenError('not-assigned', 'The assignment is set for a user group that you are not in.')
}
