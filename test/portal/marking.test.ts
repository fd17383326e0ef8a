import { at, createPortalWorld, type PortalWorld } from './portal-world'

let world: PortalWorld
let student: string
let teacher: string
let attemptId: string

beforeAll(async () => {
  world = await createPortalWorld()
})
afterAll(() => world.end())
beforeEach(async () => {
  await world.scene.rows('DELETE FROM portal_test_attempt')
  student = await world.logIn(at(world.alpha.students, 0).email)
  teacher = await world.logIn(world.alpha.teacher.email)
  const { id, questions } = world.alpha.essayTest
  attemptId = (await world.call('POST', `/tests/${id}/attempts`, { token: student })).body.attempt.id
  await answer(questions[0]?.id, { option: 0 })
  await answer(questions[2]?.id, { text: 'Systole, diastole.' })
  await answer(questions[3]?.id, { text: 'One is longer.' })
  await world.forget()
})

const answer = (questionId: string | undefined, body: object) =>
  world.call('POST', `/attempts/${attemptId}/answers`, { token: student, body: { questionId, ...body } })
const submit = () => world.call('POST', `/attempts/${attemptId}/submit`, { token: student })
const essay = (index: 2 | 3, score: number) => ({
  questionId: at(world.alpha.essayTest.questions, index).id,
  score,
})
const mark = (marks: unknown[], token = teacher) =>
  world.call('POST', `/attempts/${attemptId}/marks`, { token, body: { marks } })

it('submits without completing while essays wait for their marks', async () => {
  const { body } = await submit()
  expect(body.attempt).toMatchObject({ completedAt: null, score: null })
  const [submitted, ...more] = await world.recorded()
  expect(more).toEqual([])
  expect(submitted?.properties).toMatchObject({
    requiresMarking: true,
    autoMarkedScore: 2,
    maxScore: 24,
  })
})

it('completes with the last mark, for the student, days later', async () => {
  await submit()
  const submittedAt = world.now().toISOString()
  await world.forget()
  world.pass({ days: 3 })
  teacher = await world.logIn(world.alpha.teacher.email)
  expect((await mark([essay(2, 7)])).body.attempt.completedAt).toBeNull()
  expect(await world.recorded('Completed Test')).toEqual([])
  const { status, body } = await mark([essay(3, 3)])
  expect(status).toBe(200)
  expect(body.attempt).toMatchObject({ score: 12, completedAt: world.now().toISOString() })
  const [completed, ...more] = await world.recorded('Completed Test')
  expect(more).toEqual([])
  expect(completed?.userId).toBe(world.alpha.students[0]?.id)
  expect(completed?.timestamp).toBe(world.now().toISOString())
  expect(completed?.properties).toMatchObject({
    score: 12,
    percentage: 50,
    passed: true,
    durationSeconds: 0,
    requiresMarking: true,
    submittedAt,
  })
})

it('completes once when two teachers mark at the same moment', async () => {
  await submit()
  const sql = 'SELECT 1 FROM portal_test_attempt WHERE id = $1 FOR NO KEY UPDATE'
  const answers = await world.race({ sql, parameters: [attemptId] }, [
    () => mark([essay(2, 5), essay(3, 5)]),
    () => mark([essay(2, 9), essay(3, 9)]),
  ])
  expect(answers.map((one) => one.status).sort()).toEqual([200, 409])
  expect(await world.recorded('Completed Test')).toHaveLength(1)
})

it('keeps no mark when one of them is refused', async () => {
  await submit()
  const { status, body } = await mark([essay(2, 5), essay(3, 11)])
  expect(status).toBe(400)
  expect(Object.keys(body.error.fields)).toEqual(['marks.1.score'])
  expect(
    await world.scene.rows(
      'SELECT 1 FROM portal_question_answer WHERE text IS NOT NULL AND score IS NOT NULL',
    ),
  ).toEqual([])
})

it('refuses marks for what is no essay of the attempt, twice for one, or none', async () => {
  await submit()
  const choice = { questionId: world.alpha.essayTest.questions[0]?.id, score: 1 }
  for (const marks of [[choice], [essay(2, 1), essay(2, 2)], []]) expect((await mark(marks)).status).toBe(400)
})

it('refuses marks before submission and after completion', async () => {
  expect((await mark([essay(2, 5)])).body.error.code).toBe('attempt-open')
  await submit()
  await mark([essay(2, 5), essay(3, 5)])
  expect((await mark([essay(2, 6)])).body.error.code).toBe('attempt-completed')
  expect(await world.recorded('Completed Test')).toHaveLength(1)
})

it('is for teachers and admins', async () => {
  await submit()
  expect((await mark([essay(2, 5)], student)).body.error.code).toBe('staff-only')
  expect((await mark([essay(2, 5)], await world.logIn(world.alpha.admin.email))).status).toBe(200)
})

it('lets staff read an attempt', async () => {
  const { status, body } = await world.call('GET', `/attempts/${attemptId}`, { token: teacher })
  expect([status, body.attempt.id]).toEqual([200, attemptId])
})
