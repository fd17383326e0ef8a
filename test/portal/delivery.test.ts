import { synapPlan } from 'synap-outbox'
import { drained } from 'synap-outbox/testing'
import { at, createPortalWorld, type PortalWorld } from './portal-world'

let world: PortalWorld
beforeAll(async () => {
  world = await createPortalWorld()
})
afterAll(() => world.end())

/** One student's whole way through a portal: every event of the plan. */
async function wholeStory(): Promise<void> {
  const { alpha } = world
  const ada = {
    email: 'ada@example.org',
    password: 'analytical engine',
    firstName: 'Ada',
    lastName: 'Lovelace',
  }
  const { user } = (await world.call('POST', '/register', { body: ada })).body
  const { email, password } = ada
  const { token } = (await world.call('POST', '/login', { body: { email, password } })).body
  const post = async (path: string, body?: unknown, as = token) => {
    const answer = await world.call('POST', path, { token: as, body })
    expect([path, Math.floor(answer.status / 100)]).toEqual([path, 2])
    return answer.body
  }
  await world.call('PATCH', '/profile', { token, body: { attributes: { Department: 'Mathematics' } } })
  await post(`/groups/${alpha.openGroupId}/join`)
  await post('/page-views', { name: 'Home', path: '/' })
  await post(`/collections/items/${alpha.collection.itemIds[0]}/view`)
  await post(`/assignments/${alpha.assignmentId}/start`)
  world.pass({ minutes: 35 })
  const { attempt } = await post(`/tests/${alpha.essayTest.id}/attempts`)
  for (const { id, type } of alpha.essayTest.questions) {
    const answer = type === 'essay' ? { text: 'At length.' } : { option: 1 }
    await post(`/attempts/${attempt.id}/answers`, { questionId: id, ...answer })
  }
  await post(`/attempts/${attempt.id}/submit`)
  const teacher = await world.logIn(alpha.teacher.email)
  const essays = alpha.essayTest.questions.filter((question) => question.type === 'essay')
  await post(
    `/attempts/${attempt.id}/marks`,
    { marks: essays.map(({ id }) => ({ questionId: id, score: 8 })) },
    teacher,
  )
  await post(`/exams/${alpha.exam.id}/registrations`, { userIds: [user.id] }, teacher)
}

it('brings everything that a user does to Segment, exactly once, and in order', async () => {
  await wholeStory()
  const recorded = await world.recorded()
  await drained(world.outbox)
  const accepted = world.scene.segment.accepted()
  expect(accepted.map(({ message }) => [message.type, message.event ?? null])).toEqual(
    recorded.map(({ type, event }) => [type, event ?? null]),
  )
  expect(world.scene.segment.discarded()).toEqual([])
  expect(world.scene.segment.duplicates()).toEqual([])
  const events = new Set(recorded.map((message) => message.event).filter((event) => event !== undefined))
  expect([...events].sort()).toEqual(Object.keys(synapPlan.events).sort())
  expect(at(recorded, 0).event).toBe('User Registered')
})

it('records single answers only where the portal wants details', async () => {
  const source = await world.outbox.sources.ofPortal(world.alpha.portalId)
  await world.outbox.sources.setDetailedEvents(source?.sourceId ?? '', false)
  await world.forget()
  const token = await world.logIn(at(world.alpha.students, 0).email)
  const { id, questions } = world.alpha.autoMarkedTest
  const { attempt } = (await world.call('POST', `/tests/${id}/attempts`, { token })).body
  const body = { questionId: questions[0]?.id, option: 0 }
  expect((await world.call('POST', `/attempts/${attempt.id}/answers`, { token, body })).status).toBe(200)
  expect(await world.recorded('Question Answered')).toEqual([])
  expect(await world.recorded('Began Test')).toHaveLength(1)
})

it('works the same for a portal that is not connected to Segment', async () => {
  const source = await world.outbox.sources.ofPortal(world.beta.portalId)
  await world.outbox.sources.disable(source?.sourceId ?? '')
  await world.forget()
  const token = await world.logIn(at(world.beta.students, 0).email, world.beta)
  const path = `/assignments/${world.beta.assignmentId}/start`
  expect((await world.call('POST', path, { token, portal: world.beta })).status).toBe(201)
  expect(await world.recorded(undefined, world.beta)).toEqual([])
})
