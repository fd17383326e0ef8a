import { Hono } from 'hono'
import { z } from 'zod'
import type { PortalContext } from '../context'
import { answerQuestion } from '../services/answer-question'
import { readAttempt } from '../services/attempts'
import { beginTest } from '../services/begin-test'
import { listTests } from '../services/list-tests'
import { markAttempt } from '../services/mark-attempt'
import { submitTest } from '../services/submit-test'
import type { SignedIn } from './environment'
import { readBody, readId, text, uuid } from './input'
import { signedIn } from './portal-scope'
import { attemptView, questionView, testView } from './views'

const beginning = z.strictObject({ assignmentId: uuid().optional() })

const answer = z.strictObject({
  questionId: uuid(),
  option: z.int().nonnegative().max(1000).optional(),
  text: text(1, 20_000).optional(),
})

const marking = z.strictObject({
  marks: z
    .array(z.strictObject({ questionId: uuid(), score: z.int().nonnegative().max(10_000) }))
    .min(1)
    .max(500)
    .refine(
      (marks) => new Set(marks.map((mark) => mark.questionId)).size === marks.length,
      'A question twice',
    ),
})

/** Tests, and the life of an attempt: begin, answer, submit, mark. */
export function attemptRoutes(context: PortalContext) {
  const routes = new Hono<SignedIn>()
  const auth = signedIn(context)

  routes.get('/tests', auth, async (c) => {
    return c.json({ tests: (await listTests(context, c.get('actor'))).map(testView) })
  })

  routes.post('/tests/:id/attempts', auth, async (c) => {
    const testId = readId(c)
    const body = await readBody(c, beginning)
    const { attempt, questions, created } = await beginTest(context, c.get('actor'), { testId, ...body })
    const view = { attempt: attemptView(attempt), questions: questions.map(questionView) }
    return c.json(view, created ? 201 : 200)
  })

  routes.get('/attempts/:id', auth, async (c) => {
    return c.json({ attempt: attemptView(await readAttempt(context, c.get('actor'), readId(c))) })
  })

  routes.post('/attempts/:id/answers', auth, async (c) => {
    const attemptId = readId(c)
    const { questionId, ...given } = await readBody(c, answer)
    const saved = await answerQuestion(context, c.get('actor'), { attemptId, questionId, answer: given })
    const { revision, answeredAt } = saved
    return c.json({ answer: { questionId, revision, answeredAt } })
  })

  routes.post('/attempts/:id/submit', auth, async (c) => {
    return c.json({ attempt: attemptView(await submitTest(context, c.get('actor'), readId(c))) })
  })

  routes.post('/attempts/:id/marks', auth, async (c) => {
    const attemptId = readId(c)
    const { marks } = await readBody(c, marking)
    return c.json({ attempt: attemptView(await markAttempt(context, c.get('actor'), { attemptId, marks })) })
  })

  return routes
}
