import { randomUUID } from 'node:crypto'
import { at, createPortalWorld, type PortalWorld } from './portal-world'

let world: PortalWorld
/** Things of Alpha that Beta's users try to reach. */
let foreign: { attemptId: string; submittedId: string }
let student: string
let teacher: string

beforeAll(async () => {
  world = await createPortalWorld()
  const { alpha } = world
  const token = await world.logIn(at(alpha.students, 0).email)
  const begin = async (testId: string): Promise<string> =>
    (await world.call('POST', `/tests/${testId}/attempts`, { token })).body.attempt.id
  foreign = { attemptId: await begin(alpha.autoMarkedTest.id), submittedId: await begin(alpha.essayTest.id) }
  const body = { questionId: alpha.essayTest.questions[2]?.id, text: 'Mine alone.' }
  await world.call('POST', `/attempts/${foreign.submittedId}/answers`, { token, body })
  await world.call('POST', `/attempts/${foreign.submittedId}/submit`, { token })
  student = await world.logIn(at(world.beta.students, 0).email, world.beta)
  teacher = await world.logIn(world.beta.teacher.email, world.beta)
  await world.forget()
})
afterAll(() => world.end())

interface Reach {
  /** The id of Alpha's that goes into the address. */
  id: () => string
  body?: () => unknown
  as?: 'teacher'
}

/** Every route whose address names something of a portal, with an id of Alpha's, and otherwise acceptable input. */
const reaches: Record<string, Reach> = {
  'POST /tests/:id/attempts': { id: () => world.alpha.autoMarkedTest.id },
  'GET /attempts/:id': { id: () => foreign.attemptId, as: 'teacher' },
  'POST /attempts/:id/answers': {
    id: () => foreign.attemptId,
    body: () => ({ questionId: world.alpha.autoMarkedTest.questions[0]?.id, option: 0 }),
  },
  'POST /attempts/:id/submit': { id: () => foreign.attemptId },
  'POST /attempts/:id/marks': {
    id: () => foreign.submittedId,
    body: () => ({ marks: [{ questionId: world.alpha.essayTest.questions[2]?.id, score: 1 }] }),
    as: 'teacher',
  },
  'POST /collections/items/:id/view': { id: () => at(world.alpha.collection.itemIds, 0) },
  'POST /assignments/:id/start': { id: () => world.alpha.assignmentId },
  'POST /groups/:id/join': { id: () => world.alpha.openGroupId },
  'POST /exams/:id/registrations': {
    id: () => world.alpha.exam.id,
    body: () => ({ userIds: [at(world.beta.students, 1).id] }),
    as: 'teacher',
  },
}

/** Every route that acts on the token's own user and portal only. */
const own: Record<string, unknown> = {
  'POST /logout': undefined,
  'GET /me': undefined,
  'PATCH /profile': { firstName: 'Mallory' },
  'GET /tests': undefined,
  'POST /page-views': { name: 'Home', path: '/' },
}

const open = ['POST /register', 'POST /login']

/** One digest of everything in the portals and in the outbox: a foreign attempt must not move it. */
async function fingerprint() {
  const tables = await world.scene.rows<{ name: string }>(
    `SELECT quote_ident(tablename) AS name FROM pg_tables
     WHERE schemaname = 'public' AND tablename ~ '^(portal|outbox_message)' ORDER BY 1`,
  )
  expect(tables.length).toBeGreaterThan(15)
  const digests = tables.map(
    ({ name }) => `(SELECT md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM ${name} t)`,
  )
  const [row] = await world.scene.rows(`SELECT ${digests.join(' || ')} AS digest`)
  return row?.digest
}

it('is tested for every route of the API, and of the dashboard in integrations-access.test.ts', () => {
  const prefix = '/api/portals/:slug'
  const routes = world.app.routes
    .filter(({ method, path }) => method !== 'ALL' && !path.startsWith('/portal-dashboard/'))
    .map(({ method, path }) => `${method} ${path.replace(prefix, '')}`)
  const ofNoPortal = ['GET /health']
  const tested = [...Object.keys(reaches), ...Object.keys(own), ...open, ...ofNoPortal]
  expect([...new Set(routes)].sort()).toEqual(tested.sort())
})

describe('a user of Beta, with an id of Alpha’s', () => {
  it.each(Object.entries(reaches))(
    '%s finds nothing and changes nothing',
    async (route, { id, body, as }) => {
      const before = await fingerprint()
      const [method = '', path = ''] = route.split(' ')
      const token = as === 'teacher' ? teacher : student
      const options = { token, portal: world.beta, body: body?.() }
      const answer = await world.call(method, path.replace(':id', id()), options)
      expect(answer.status).toBe(404)
      expect(answer.body).toEqual({ error: { code: 'not-found', message: expect.any(String) } })
      // The same words as for an id that nobody has.
      const nobodys = await world.call(method, path.replace(':id', randomUUID()), options)
      expect(nobodys.body).toEqual(answer.body)
      expect(await fingerprint()).toEqual(before)
    },
  )
})

describe('a token of Beta, in Alpha’s addresses', () => {
  const all = [...Object.entries(reaches).map(([route, { body }]) => [route, body] as const)]
  const rest = Object.entries(own).map(([route, body]) => [route, () => body] as const)
  it.each([...all, ...rest])('%s is nobody’s, and changes nothing', async (route, body) => {
    const before = await fingerprint()
    const [method = '', path = ''] = route.split(' ')
    const id = reaches[route]?.id() ?? ''
    const answer = await world.call(method, path.replace(':id', id), { token: teacher, body: body?.() })
    expect([answer.status, answer.body.error.code]).toEqual([401, 'session-invalid'])
    expect(await fingerprint()).toEqual(before)
  })
})

describe('ids of Alpha’s in the body', () => {
  const beta = (path: string, body: unknown, token = student) =>
    world.call('POST', path, { token, portal: world.beta, body })

  it('are refused wherever a body names something', async () => {
    const { alpha, beta: home } = world
    const opened = await beta(`/tests/${home.autoMarkedTest.id}/attempts`, {})
    const mine = opened.body.attempt.id
    const before = await fingerprint()
    const questionId = alpha.autoMarkedTest.questions[0]?.id
    const statuses = [
      await beta(`/attempts/${mine}/answers`, { questionId, option: 0 }),
      await beta(`/tests/${home.essayTest.id}/attempts`, { assignmentId: alpha.assignmentId }),
      await beta(`/exams/${home.exam.id}/registrations`, { userIds: [at(alpha.students, 0).id] }, teacher),
    ].map((answer) => answer.status)
    expect(statuses).toEqual([404, 404, 404])
    expect(await fingerprint()).toEqual(before)
  })

  it('does not take another portal’s view id', async () => {
    const viewId = randomUUID()
    const token = await world.logIn(at(world.alpha.students, 1).email)
    const itemId = world.alpha.collection.itemIds[0]
    await world.call('POST', `/collections/items/${itemId}/view`, { token, body: { viewId } })
    const answer = await beta(`/collections/items/${world.beta.collection.itemIds[0]}/view`, { viewId })
    expect(answer.status).toBe(409)
    expect(await world.recorded('Collection Item Viewed', world.beta)).toEqual([])
  })
})

it('lists the portal’s own tests only', async () => {
  const { body } = await world.call('GET', '/tests', { token: student, portal: world.beta })
  const ids = body.tests.map((test: { id: string }) => test.id).sort()
  expect(ids).toEqual([world.beta.autoMarkedTest.id, world.beta.essayTest.id].sort())
})

it('sends nothing of Beta to Alpha’s source', async () => {
  const [row] = await world.scene.rows(
    `SELECT count(*)::int AS mixed FROM outbox_message m JOIN segment_source s USING (source_id)
     WHERE s.portal_id <> m.portal_id`,
  )
  expect(row?.mixed).toBe(0)
})

it('is kept by the database too: no row can tie two portals together', async () => {
  await expect(
    world.scene.rows(
      `INSERT INTO portal_assignment_start (portal_id, assignment_id, user_id, started_at) VALUES ($1, $2, $3, now())`,
      [world.beta.portalId, world.alpha.assignmentId, at(world.beta.students, 0).id],
    ),
  ).rejects.toThrow(/foreign key/)
})
