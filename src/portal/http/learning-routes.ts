import { Hono } from 'hono'
import { z } from 'zod'
import type { PortalContext } from '../context'
import { enrolForExam } from '../services/enrol-for-exam'
import { joinUserGroup } from '../services/join-user-group'
import { startAssignment } from '../services/start-assignment'
import { viewCollectionItem } from '../services/view-collection-item'
import type { SignedIn } from './environment'
import { readBody, readId, uuid } from './input'
import { signedIn } from './portal-scope'

const viewing = z.strictObject({ viewId: uuid().optional() })

const enrolment = z.strictObject({
  userIds: z
    .array(uuid())
    .min(1)
    .max(500)
    .refine((ids) => new Set(ids).size === ids.length, 'A user twice'),
})

/** Collections, assignments, user groups and exams. */
export function learningRoutes(context: PortalContext) {
  const routes = new Hono<SignedIn>()
  const auth = signedIn(context)

  routes.post('/collections/items/:id/view', auth, async (c) => {
    const itemId = readId(c)
    const body = await readBody(c, viewing)
    const { viewId, created } = await viewCollectionItem(context, c.get('actor'), { itemId, ...body })
    return c.json({ view: { id: viewId, itemId } }, created ? 201 : 200)
  })

  routes.post('/assignments/:id/start', auth, async (c) => {
    const { start, assignment, created } = await startAssignment(context, c.get('actor'), readId(c))
    const { testId, dueAt } = assignment
    const view = { id: start.id, assignmentId: assignment.id, startedAt: start.startedAt, testId, dueAt }
    return c.json({ start: view }, created ? 201 : 200)
  })

  routes.post('/groups/:id/join', auth, async (c) => {
    const { group, joined } = await joinUserGroup(context, c.get('actor'), readId(c))
    return c.json({ group: { id: group.id, name: group.name } }, joined ? 201 : 200)
  })

  routes.post('/exams/:id/registrations', auth, async (c) => {
    const examId = readId(c)
    const { userIds } = await readBody(c, enrolment)
    const registrations = await enrolForExam(context, c.get('actor'), { examId, userIds })
    return c.json({ registrations: registrations.map(({ id, userId }) => ({ id, userId })) }, 201)
  })

  return routes
}
