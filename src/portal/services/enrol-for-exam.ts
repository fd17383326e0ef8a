import { type EntityManager, In } from 'typeorm'
import { Exam, ExamRegistration, PortalUser } from '../../../entities/portal'
import type { Actor, PortalContext } from '../context'
import { ConflictError, NotFoundError } from '../errors'
import { requireStaff } from './roles'
import { insertNew } from './rows'

/**
 * A teacher or an admin enrols users for an exam: all of them or, if the exam has too few seats or one of them is
 * enrolled already, none. Records `Exam User Registered` for each.
 *
 * The seats are taken last, after the events are recorded, so that the exam's row, which every enrolment for it
 * needs, is locked for one statement only. An exam that turns out to be full rolls everything back, events included.
 *
 * Throws ForbiddenError `staff-only`, NotFoundError for an unknown user, ConflictError `exam-started`,
 * `already-enrolled` or `exam-full`.
 */
export async function enrolForExam(
  { dataSource, outbox, clock }: PortalContext,
  actor: Actor,
  { examId, userIds }: { examId: string; userIds: readonly string[] },
): Promise<ExamRegistration[]> {
  requireStaff(actor)
  const { portalId } = actor
  return dataSource.transaction(async (tx) => {
    const exam = await tx.findOneBy(Exam, { id: examId, portalId })
    if (!exam) throw new NotFoundError('exam')
    const registeredAt = clock()
    if (registeredAt >= exam.startsAt) throw new ConflictError('exam-started', 'The exam has started.')
    if ((await tx.countBy(PortalUser, { portalId, id: In([...userIds]) })) < userIds.length) {
      throw new NotFoundError('user')
    }
    const registrations = await insertRegistrations(tx, actor, exam, userIds, registeredAt)
    await outbox.record(
      tx,
      registrations.map((registration) => ({
        type: 'track' as const,
        event: 'Exam User Registered' as const,
        portalId,
        userId: registration.userId,
        timestamp: registeredAt,
        properties: {
          registrationId: registration.id,
          examId,
          enrolledById: actor.userId,
          examStartsAt: exam.startsAt,
        },
      })),
    )
    await takeSeats(tx, exam, registrations.length)
    return registrations
  })
}

async function insertRegistrations(
  tx: EntityManager,
  { portalId, userId: enrolledById }: Actor,
  { id: examId }: Exam,
  userIds: readonly string[],
  registeredAt: Date,
): Promise<ExamRegistration[]> {
  // In one order everywhere: two overlapping enrolments wait for each other's rows, and must not do so crosswise.
  const rows = userIds.toSorted().map((userId) => ({ portalId, examId, userId, enrolledById, registeredAt }))
  const ids = await insertNew(tx, ExamRegistration, rows)
  if (ids.length < rows.length) {
    throw new ConflictError(
      'already-enrolled',
      'A user is enrolled for this exam already. Nobody was enrolled.',
    )
  }
  return tx.find(ExamRegistration, { where: { id: In(ids) }, order: { userId: 'ASC' } })
}

async function takeSeats(tx: EntityManager, { id }: Exam, seats: number): Promise<void> {
  const update = tx
    .createQueryBuilder()
    .update(Exam)
    .set({ seatsTaken: () => 'seats_taken + :seats' })
  const result = await update.where('id = :id AND seats_taken + :seats <= capacity', { id, seats }).execute()
  if (result.affected !== 1) {
    throw new ConflictError('exam-full', 'The exam has too few seats left. Nobody was enrolled.')
  }
}
