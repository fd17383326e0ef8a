import type { ReadFacts, synapPlan } from 'synap-outbox'
import type { CollectionItem } from '../../../entities/portal'
import { type FactRow, factOf, readRows } from './read-rows'

type Read<E extends keyof typeof synapPlan.events> = ReadFacts<typeof synapPlan, E>

interface ViewRow extends FactRow {
  collectionId: string
  itemId: string
  itemType: CollectionItem['type']
}

export const collectionItemViewed: Read<'Collection Item Viewed'> = async (page) => {
  const rows = await readRows<ViewRow>(page, {
    from: 'portal_collection_item_view f JOIN portal_collection_item i ON i.id = f.item_id',
    at: 'f.viewed_at',
    columns: ['i.collection_id AS "collectionId"', 'f.item_id AS "itemId"', 'i.type AS "itemType"'],
  })
  return rows.map((row) => {
    const { id: viewId, collectionId, itemId, itemType } = row
    return factOf(row, { viewId, collectionId, itemId, itemType })
  })
}

interface StartRow extends FactRow {
  assignmentId: string
  testId: string
  groupId: string | null
  dueAt: Date | null
}

export const assignmentStarted: Read<'Assignment Started'> = async (page) => {
  const rows = await readRows<StartRow>(page, {
    from: 'portal_assignment_start f JOIN portal_assignment a ON a.id = f.assignment_id',
    at: 'f.started_at',
    columns: [
      'f.assignment_id AS "assignmentId"',
      'a.test_id AS "testId"',
      'a.group_id AS "groupId"',
      'a.due_at AS "dueAt"',
    ],
  })
  return rows.map((row) => {
    const { id: startId, assignmentId, testId, groupId, dueAt } = row
    return factOf(row, {
      startId,
      assignmentId,
      testId,
      userGroupId: groupId ?? undefined,
      dueAt: dueAt ?? undefined,
    })
  })
}

interface RegistrationRow extends FactRow {
  examId: string
  enrolledById: string
  examStartsAt: Date
}

export const examUserRegistered: Read<'Exam User Registered'> = async (page) => {
  const rows = await readRows<RegistrationRow>(page, {
    from: 'portal_exam_registration f JOIN portal_exam e ON e.id = f.exam_id',
    at: 'f.registered_at',
    columns: ['f.exam_id AS "examId"', 'f.enrolled_by_id AS "enrolledById"', 'e.starts_at AS "examStartsAt"'],
  })
  return rows.map((row) => {
    const { id: registrationId, examId, enrolledById, examStartsAt } = row
    return factOf(row, { registrationId, examId, enrolledById, examStartsAt })
  })
}
