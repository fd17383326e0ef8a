import { at, createPortalWorld, type PortalWorld } from './portal-world'

let world: PortalWorld
let token: string
let testId: string

beforeAll(async () => {
  world = await createPortalWorld()
  testId = world.alpha.autoMarkedTest.id
})
afterAll(() => world.end())
beforeEach(async () => {
  await world.scene.rows('DELETE FROM portal_test_attempt')
  token = await world.logIn(at(world.alpha.students, 0).email)
  await world.forget()
})

const begin = (body?: unknown) => world.call('POST', `/tests/${testId}/attempts`, { token, body })
const answer = (attemptId: string, index: number, body: object) => {
  const questionId = at(world.alpha.autoMarkedTest.questions, index).id
  return world.call('POST', `/attempts/${attemptId}/answers`, { token, body: { questionId, ...body } })
}
const submit = (attemptId: string) => world.call('POST', `/attempts/${attemptId}/submit`, { token })
/** For `race`: holds the attempt's row. */
const attemptRow = (attemptId: string) => {
  return { sql: 'SELECT 1 FROM portal_test_attempt WHERE id = $1 FOR NO KEY UPDATE', parameters: [attemptId] }
}
const properties = async (event: string) => (await world.recorded(event)).map((message) => message.properties)

describe('begin', () => {
  it('opens an attempt, shows the questions without the right answers, and records it', async () => {
    const { status, body } = await begin()
    expect(status).toBe(201)
    expect(body.attempt).toMatchObject({ testId, attemptNumber: 1, submittedAt: null })
    expect(body.questions).toHaveLength(4)
    expect(JSON.stringify(body)).not.toContain('correct')
    expect(await properties('Began Test')).toEqual([
      {
        testId,
        attemptId: body.attempt.id,
        attemptNumber: 1,
        questionCount: 4,
        maxScore: 8,
        timeLimitSeconds: 3600,
      },
    ])
  })

  it('goes on with an open attempt, without a second event', async () => {
    const answers = [await begin(), ...(await Promise.all([begin(), begin(), begin()]))]
    expect(answers.map((one) => one.status)).toEqual([201, 200, 200, 200])
    expect(new Set(answers.map((one) => one.body.attempt.id)).size).toBe(1)
    expect(await world.recorded('Began Test')).toHaveLength(1)
  })

  it('opens one attempt for several clicks at once', async () => {
    const sql = 'SELECT 1 FROM portal_user WHERE id = $1 FOR NO KEY UPDATE'
    const clicks = Array.from({ length: 5 }, () => () => begin())
    const answers = await world.race({ sql, parameters: [at(world.alpha.students, 0).id] }, clicks)
    expect(answers.map((one) => one.status).sort()).toEqual([200, 200, 200, 200, 201])
    expect(await world.recorded('Began Test')).toHaveLength(1)
  })

  it('allows as many attempts as the test does, and numbers them', async () => {
    for (let i = 0; i < 3; i++) await submit((await begin()).body.attempt.id)
    const { status, body } = await begin()
    expect(status).toBe(409)
    expect(body.error.code).toBe('attempt-limit-reached')
    expect((await properties('Began Test')).map((one) => one?.attemptNumber)).toEqual([1, 2, 3])
  })

  it('refuses a test without questions', async () => {
    const [empty] = await world.scene.rows<{ id: string }>(
      `INSERT INTO portal_test (portal_id, title) VALUES ($1, 'Empty') RETURNING id`,
      [world.alpha.portalId],
    )
    const { status, body } = await world.call('POST', `/tests/${empty?.id}/attempts`, { token })
    expect([status, body.error.code]).toEqual([409, 'test-empty'])
    expect(await world.recorded()).toEqual([])
  })

  it('ties an attempt to the assignment it is begun for, once that is started', async () => {
    const { assignmentId } = world.alpha
    expect((await begin({ assignmentId })).body.error.code).toBe('assignment-not-started')
    await world.call('POST', `/assignments/${assignmentId}/start`, { token })
    expect((await begin({ assignmentId })).status).toBe(201)
    expect(await properties('Began Test')).toEqual([expect.objectContaining({ assignmentId })])
  })
})

describe('answer', () => {
  it('records each change as a fact of its own, and the same answer again not at all', async () => {
    const attemptId = (await begin()).body.attempt.id
    for (const option of [0, 0, 2, 2]) expect((await answer(attemptId, 0, { option })).status).toBe(200)
    const common = {
      testId,
      attemptId,
      questionId: world.alpha.autoMarkedTest.questions[0]?.id,
      questionNumber: 1,
      questionType: 'multiple-choice',
    }
    expect(await properties('Question Answered')).toEqual([
      { ...common, revision: 1, correct: false },
      { ...common, revision: 2, correct: true },
    ])
  })

  it('stops when the time is up; submitting is still possible', async () => {
    const attemptId = (await begin()).body.attempt.id
    world.pass({ seconds: 3600 })
    expect((await answer(attemptId, 0, { option: 2 })).status).toBe(200)
    world.pass({ seconds: 1 })
    expect((await answer(attemptId, 1, { option: 1 })).body.error.code).toBe('time-is-up')
    expect((await submit(attemptId)).body.attempt.score).toBe(2)
    expect(await world.recorded('Question Answered')).toHaveLength(1)
  })

  it.each([
    ['no such option', { option: 3 }, 'option'],
    ['an essay', { text: 'Four, I think.' }, 'option'],
    ['both', { option: 1, text: 'One' }, 'option'],
    ['nothing', {}, 'option'],
    ['half an option', { option: 0.5 }, 'option'],
  ])('refuses %s for multiple choice', async (_, body, field) => {
    const attemptId = (await begin()).body.attempt.id
    const { status, body: said } = await answer(attemptId, 0, body)
    expect(status).toBe(400)
    expect(Object.keys(said.error.fields)).toEqual([field])
    expect(await world.recorded('Question Answered')).toEqual([])
  })

  it('refuses a question of another test', async () => {
    const attemptId = (await begin()).body.attempt.id
    const questionId = world.alpha.essayTest.questions[0]?.id
    const body = { questionId, option: 0 }
    expect((await world.call('POST', `/attempts/${attemptId}/answers`, { token, body })).status).toBe(404)
  })

  it('is impossible for somebody else, and after submission', async () => {
    const attemptId = (await begin()).body.attempt.id
    const mine = token
    token = await world.logIn(at(world.alpha.students, 1).email)
    expect((await answer(attemptId, 0, { option: 2 })).status).toBe(404)
    expect((await submit(attemptId)).status).toBe(404)
    expect((await world.call('GET', `/attempts/${attemptId}`, { token })).status).toBe(404)
    token = mine
    await submit(attemptId)
    expect((await answer(attemptId, 0, { option: 2 })).body.error.code).toBe('attempt-submitted')
    expect(await world.recorded('Question Answered')).toEqual([])
  })
})

describe('submit', () => {
  it('scores the attempt and completes it at once: both events, in this order', async () => {
    const attemptId = (await begin()).body.attempt.id
    await answer(attemptId, 0, { option: 2 })
    await answer(attemptId, 1, { option: 1 })
    await answer(attemptId, 2, { option: 2 })
    world.pass({ minutes: 10 })
    const { status, body } = await submit(attemptId)
    expect(status).toBe(200)
    expect(body.attempt).toMatchObject({ score: 4, submittedAt: world.now().toISOString() })
    const [submitted, completed] = (await world.recorded()).slice(-2)
    const common = {
      testId,
      attemptId,
      attemptNumber: 1,
      questionCount: 4,
      durationSeconds: 600,
      maxScore: 8,
    }
    expect(submitted?.event).toBe('Submitted Test')
    expect(submitted?.properties).toEqual({
      ...common,
      answeredCount: 3,
      requiresMarking: false,
      autoMarkedScore: 4,
    })
    expect(completed?.event).toBe('Completed Test')
    expect(completed?.properties).toEqual({
      ...common,
      score: 4,
      percentage: 50,
      passed: true,
      requiresMarking: false,
      submittedAt: world.now().toISOString(),
    })
  })

  it('takes an attempt without any answer', async () => {
    const { body } = await submit((await begin()).body.attempt.id)
    expect(body.attempt.score).toBe(0)
    expect(await properties('Completed Test')).toEqual([
      expect.objectContaining({ percentage: 0, passed: false }),
    ])
  })

  it('answers a second submission with 409, and records nothing more', async () => {
    const attemptId = (await begin()).body.attempt.id
    await submit(attemptId)
    const { status, body } = await submit(attemptId)
    expect([status, body.error.code]).toEqual([409, 'attempt-submitted'])
    expect(await world.recorded('Submitted Test')).toHaveLength(1)
    expect(await world.recorded('Completed Test')).toHaveLength(1)
  })

  it('takes one of several submissions at the same moment', async () => {
    const attemptId = (await begin()).body.attempt.id
    const clicks = Array.from({ length: 6 }, () => () => submit(attemptId))
    const answers = await world.race(attemptRow(attemptId), clicks)
    expect(answers.map((one) => one.status).sort()).toEqual([200, 409, 409, 409, 409, 409])
    expect(await world.recorded('Submitted Test')).toHaveLength(1)
    expect(await world.recorded('Completed Test')).toHaveLength(1)
  })

  it('never scores an answer that came with it half way', async () => {
    const attemptId = (await begin()).body.attempt.id
    const [answered, submitted] = await world.race(attemptRow(attemptId), [
      () => answer(attemptId, 0, { option: 2 }),
      () => submit(attemptId),
    ])
    const inTime = answered?.status === 200
    expect(submitted?.body.attempt.score).toBe(inTime ? 2 : 0)
    expect(await world.recorded('Question Answered')).toHaveLength(inTime ? 1 : 0)
  })
})
