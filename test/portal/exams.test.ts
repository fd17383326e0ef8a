import { at, createPortalWorld, type PortalWorld } from './portal-world'

let world: PortalWorld
let teacher: string

beforeAll(async () => {
  world = await createPortalWorld()
})
afterAll(() => world.end())
beforeEach(async () => {
  await world.scene.rows('DELETE FROM portal_exam_registration')
  await world.scene.rows('UPDATE portal_exam SET seats_taken = 0, capacity = 2')
  teacher = await world.logIn(world.alpha.teacher.email)
  await world.forget()
})

const enrol = (indexes: number[], token = teacher) =>
  world.call('POST', `/exams/${world.alpha.exam.id}/registrations`, {
    token,
    body: { userIds: indexes.map((index) => at(world.alpha.students, index).id) },
  })
const state = async () => {
  const [exam] = await world.scene.rows(
    `SELECT seats_taken, (SELECT count(*)::int FROM portal_exam_registration) AS registrations,
       (SELECT count(*)::int FROM outbox_message) AS messages FROM portal_exam WHERE id = $1`,
    [world.alpha.exam.id],
  )
  return exam
}

it('enrols a class and records it for each student', async () => {
  const { status, body } = await enrol([1, 0])
  expect(status).toBe(201)
  const messages = await world.recorded('Exam User Registered')
  expect(messages.map((message) => [message.userId, message.properties])).toEqual(
    body.registrations.map(({ id, userId }: { id: string; userId: string }) => [
      userId,
      {
        registrationId: id,
        examId: world.alpha.exam.id,
        enrolledById: world.alpha.teacher.id,
        examStartsAt: expect.any(String),
      },
    ]),
  )
  expect(new Set(messages.map((message) => message.userId)).size).toBe(2)
  expect(await state()).toEqual({ seats_taken: 2, registrations: 2, messages: 2 })
})

it('rolls everything back, recorded events included, when the exam is full', async () => {
  const { status, body } = await enrol([0, 1, 2])
  expect([status, body.error.code]).toEqual([409, 'exam-full'])
  expect(await state()).toEqual({ seats_taken: 0, registrations: 0, messages: 0 })
})

it('rolls back when one of the class is enrolled already', async () => {
  await enrol([1])
  const { status, body } = await enrol([0, 1])
  expect([status, body.error.code]).toEqual([409, 'already-enrolled'])
  expect(await state()).toEqual({ seats_taken: 1, registrations: 1, messages: 1 })
})

it('fills the last seat once, whoever asks at the same moment', async () => {
  await enrol([0])
  const sql = 'SELECT 1 FROM portal_exam WHERE id = $1 FOR NO KEY UPDATE'
  const answers = await world.race({ sql, parameters: [world.alpha.exam.id] }, [
    () => enrol([1]),
    () => enrol([2]),
  ])
  expect(answers.map((answer) => answer.status).sort()).toEqual([201, 409])
  expect(await state()).toEqual({ seats_taken: 2, registrations: 2, messages: 2 })
})

it('never locks up between overlapping classes, whatever order they are given in', async () => {
  await world.scene.rows('UPDATE portal_exam SET capacity = 3')
  const { exam, portalId, students, teacher: by } = world.alpha
  const order = [0, 1, 2].sort((a, b) => (at(students, a).id < at(students, b).id ? -1 : 1))
  // Both wait at the student in the middle; in the orders given, each would then hold what the other needs next.
  const sql = `INSERT INTO portal_exam_registration (portal_id, exam_id, user_id, enrolled_by_id, registered_at)
               VALUES ($1, $2, $3, $4, now())`
  const answers = await world.race(
    { sql, parameters: [portalId, exam.id, at(students, at(order, 1)).id, by.id] },
    [() => enrol(order), () => enrol(order.toReversed())],
  )
  expect(answers.map((answer) => answer.status).sort()).toEqual([201, 409])
  expect(await state()).toEqual({ seats_taken: 3, registrations: 3, messages: 3 })
})

it('is over when the exam starts', async () => {
  await world.scene.rows('UPDATE portal_exam SET starts_at = $1', [world.now()])
  expect((await enrol([0])).body.error.code).toBe('exam-started')
  await world.scene.rows(`UPDATE portal_exam SET starts_at = '2100-01-01Z'`)
})

it('is for teachers and admins, and for users of the portal', async () => {
  const student = await world.logIn(at(world.alpha.students, 0).email)
  await world.forget()
  expect((await enrol([0], student)).body.error.code).toBe('staff-only')
  const userIds = [at(world.beta.students, 0).id]
  const foreign = await world.call('POST', `/exams/${world.alpha.exam.id}/registrations`, {
    token: teacher,
    body: { userIds },
  })
  expect(foreign.status).toBe(404)
  expect(await state()).toEqual({ seats_taken: 0, registrations: 0, messages: 0 })
})

it.each([
  ['nobody', []],
  ['what is no id', ['everyone']],
  ['a user twice', ['6f1c2c52-93b1-4d4c-9c53-1a4b3b7f1d11', '6F1C2C52-93B1-4D4C-9C53-1A4B3B7F1D11']],
])('refuses %s', async (_, userIds) => {
  const path = `/exams/${world.alpha.exam.id}/registrations`
  expect((await world.call('POST', path, { token: teacher, body: { userIds } })).status).toBe(400)
})
