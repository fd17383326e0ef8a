import { randomUUID } from 'node:crypto'
import type { SeededPortal, SeededTest } from '../seed'
import { ApiClient, expectRefusal } from './api-client'

/** Students of the simulation; the seeded ones have addresses of their own, and no events. */
export const STUDENT_DOMAIN = 'class.example'
const PASSWORD = 'a-long-enough-password'

interface Attempt {
  attempt: { id: string }
}

/** What a student does between two breaks. Each step is one or a few requests of a browser. */
export interface Student {
  readonly userId: string
  /** Registers, logs in, looks around. */
  arrive(): Promise<void>
  /** Sits the test that the portal marks by itself; clicks "submit" twice. */
  sitTest(): Promise<void>
  /** Sits the test with essays. Returns the attempt, which a teacher has to mark. */
  sitEssays(): Promise<string>
}

export function createStudent(portalUrl: string, portal: SeededPortal, number: number): Student {
  const client = new ApiClient(portalUrl, portal.slug)
  const email = `student-${number}-${randomUUID().slice(0, 8)}@${STUDENT_DOMAIN}`
  let userId = ''

  const begin = async (test: SeededTest, assignmentId?: string): Promise<string> => {
    const { attempt } = await client.post<Attempt>(`/tests/${test.id}/attempts`, { assignmentId })
    for (const question of test.questions) {
      const given =
        question.type === 'essay'
          ? { text: 'The heart contracts, and then it rests.' }
          : { option: (number + question.options.length) % question.options.length }
      await client.post(`/attempts/${attempt.id}/answers`, { questionId: question.id, ...given })
    }
    return attempt.id
  }

  return {
    get userId() {
      return userId
    },

    async arrive() {
      const anonymousId = randomUUID()
      await client.post('/page-views', { name: 'Welcome', path: '/', anonymousId })
      const names = { firstName: 'Sam', lastName: `Number ${number}` }
      const { user } = await client.post<{ user: { id: string } }>('/register', {
        email,
        password: PASSWORD,
        ...names,
      })
      userId = user.id
      await expectRefusal('email-taken', () =>
        client.post('/register', { email, password: PASSWORD, ...names }),
      )
      await client.logIn(email, PASSWORD)
      await client.patch('/profile', {
        marketingEmailsConsent: 'confirmed',
        attributes: { Cohort: `C${number % 4}` },
      })
      await client.post(`/groups/${portal.openGroupId}/join`)
      await client.post('/page-views', { name: 'Collection', category: 'Learning', path: '/collections' })
      for (const itemId of portal.collection.itemIds) {
        const viewId = randomUUID()
        await client.post(`/collections/items/${itemId}/view`, { viewId })
        await client.post(`/collections/items/${itemId}/view`, { viewId }) // the browser's retry of the same view
      }
    },

    async sitTest() {
      await client.post(`/assignments/${portal.assignmentId}/start`)
      const attemptId = await begin(portal.autoMarkedTest, portal.assignmentId)
      const clicks = [
        client.post(`/attempts/${attemptId}/submit`),
        client.post(`/attempts/${attemptId}/submit`),
      ]
      const submitted = await Promise.allSettled(clicks)
      const accepted = submitted.filter((click) => click.status === 'fulfilled').length
      if (accepted !== 1) throw new Error(`Of two submissions ${accepted} were accepted`)
    },

    async sitEssays() {
      const attemptId = await begin(portal.essayTest)
      await client.post(`/attempts/${attemptId}/submit`)
      return attemptId
    },
  }
}
