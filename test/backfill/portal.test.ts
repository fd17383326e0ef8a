import path from 'node:path'
import { synapPlan } from 'synap-outbox'
import { portalBackfills } from '../../src/portal/backfill'
import { commandLine, MAIN } from '../cli/support/cli'
import { at, createPortalWorld, type PortalWorld } from '../portal/portal-world'

interface Fact {
  event: string
  body: { userId: string; timestamp: string; properties: Record<string, unknown> }
}

let world: PortalWorld
beforeAll(async () => {
  world = await createPortalWorld({ detailedEvents: false })
})
afterAll(() => world.end())

/** Two students' way through the portal, with every event that the portal can tell of later. */
async function wholeStory(): Promise<void> {
  const { alpha } = world
  const post = async (as: string, path: string, body?: unknown) => {
    const answer = await world.call('POST', path, { token: as, body })
    expect([path, Math.floor(answer.status / 100)]).toEqual([path, 2])
    return answer.body
  }
  const teacher = await world.logIn(alpha.teacher.email)
  for (const firstName of ['Ada', 'Grace']) {
    const email = `${firstName}@example.org`
    const password = 'analytical engine'
    const account = { email, password, firstName, lastName: 'L' }
    const { user } = (await world.call('POST', '/register', { body: account })).body
    world.pass({ minutes: 1 })
    const token = (await world.call('POST', '/login', { body: { email, password } })).body.token
    await post(token, `/collections/items/${at(alpha.collection.itemIds, 0)}/view`)
    await post(token, `/collections/items/${at(alpha.collection.itemIds, 1)}/view`)
    await post(token, `/assignments/${alpha.assignmentId}/start`)
    for (const test of [alpha.autoMarkedTest, alpha.essayTest]) {
      world.pass({ minutes: 40, seconds: 7 })
      const { attempt } = await post(token, `/tests/${test.id}/attempts`)
      for (const { id, type, correctOption } of test.questions.slice(firstName === 'Ada' ? 0 : 1)) {
        const answer = type === 'essay' ? { text: 'At length.' } : { option: correctOption }
        await post(token, `/attempts/${attempt.id}/answers`, { questionId: id, ...answer })
      }
      world.pass({ minutes: 3, seconds: 20 })
      await post(token, `/attempts/${attempt.id}/submit`)
      if (!test.hasEssays) continue
      world.pass({ days: 1 })
      const essays = test.questions.filter(({ type }) => type === 'essay')
      const marks = essays.map(({ id }) => ({ questionId: id, score: 3 }))
      await post(await world.logIn(alpha.teacher.email), `/attempts/${attempt.id}/marks`, { marks })
    }
    await post(teacher, `/exams/${alpha.exam.id}/registrations`, { userIds: [user.id] })
  }
}

const factsOf = (sourceId: string) =>
  world.scene.rows<Fact>(
    `SELECT event, body FROM outbox_message WHERE source_id = $1 AND type = 'track' AND status = 'pending'
     ORDER BY event, body->>'userId', body->>'timestamp', body::text`,
    [sourceId],
  )

it('tells of the past what live recording told of it, in each of the nine events', async () => {
  const { alpha, outbox, scene } = world
  await wholeStory()
  const live = await outbox.sources.ofPortal(alpha.portalId)
  const told = await factsOf(live?.sourceId ?? '')
  await outbox.sources.disable(live?.sourceId ?? '')
  const { source } = await scene.connect(outbox, { portalId: alpha.portalId })

  for (const [event, read] of Object.entries(portalBackfills)) {
    const report = await outbox.backfill(event as never, read as never, {
      portalId: alpha.portalId,
      pageSize: 2,
      rate: 10_000,
    })
    expect(report).toMatchObject({ diverted: 0, finished: true })
  }
  const derived = await factsOf(source.sourceId)

  const nine = Object.keys(synapPlan.events).filter((event) => event !== 'Question Answered')
  expect([...new Set(told.map(({ event }) => event))].toSorted()).toEqual(nine.toSorted())
  expect(Object.keys(portalBackfills).toSorted()).toEqual(nine.toSorted())
  // Accounts that were seeded were registered as well, and nobody told of it.
  const registered = new Set(
    told.flatMap(({ event, body }) => (event === 'User Registered' ? body.userId : [])),
  )
  const known = derived.filter(
    ({ event, body }) => event !== 'User Registered' || registered.has(body.userId),
  )
  const sayable = told.map(({ event, body }) => {
    if (event !== 'User Registered') return { event, body }
    const { role: _role, emailVerified: _verified, ...properties } = body.properties
    return { event, body: { ...body, properties } }
  })
  expect(known).toEqual(sayable)
})

it('tells nothing of another portal', async () => {
  const messages = await world.scene.rows('SELECT FROM outbox_message WHERE portal_id = $1', [
    world.beta.portalId,
  ])
  expect(messages).toEqual([])
})

it('is recorded by the command, with the portal’s own module', async () => {
  const { beta, scene } = world
  const command = commandLine(scene)
  const app = path.resolve(MAIN, '../../portal/backfill/app.js')
  const told = await command('backfill', 'User Registered', '--app', app, '--portal', beta.portalId, '--json')
  expect(told).toMatchObject({ code: 0 })
  const users = await scene.rows('SELECT FROM portal_user WHERE portal_id = $1', [beta.portalId])
  expect(JSON.parse(told.stdout).reports).toMatchObject([{ recorded: users.length, finished: true }])
})
