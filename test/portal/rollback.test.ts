import { at, createPortalWorld, type PortalWorld } from './portal-world'

let world: PortalWorld
let student: string
let teacher: string
/** An open attempt, and one that waits for its marks. */
let open: string
let submitted: string

beforeAll(async () => {
  world = await createPortalWorld()
  const { autoMarkedTest, essayTest, students } = world.alpha
  student = await world.logIn(at(students, 0).email)
  teacher = await world.logIn(world.alpha.teacher.email)
  const post = async (path: string, body?: unknown) =>
    (await world.call('POST', path, { token: student, body })).body
  open = (await post(`/tests/${autoMarkedTest.id}/attempts`)).attempt.id
  submitted = (await post(`/tests/${essayTest.id}/attempts`)).attempt.id
  await post(`/attempts/${submitted}/answers`, { questionId: essayTest.questions[2]?.id, text: 'Blood.' })
  await post(`/attempts/${submitted}/submit`)
  await world.forget()
  await failEveryCommit()
})
afterAll(() => world.end())

/** From here on, each transaction that changes a row of the portal fails in COMMIT, after all its statements. */
async function failEveryCommit(): Promise<void> {
  await world.scene.rows(`
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused at commit'; END $$;
    DO $$ DECLARE t regclass; BEGIN
      FOR t IN SELECT tablename::regclass FROM pg_tables WHERE tablename LIKE 'portal%' LOOP
        EXECUTE format('CREATE CONSTRAINT TRIGGER refuse AFTER INSERT OR UPDATE ON %s
                        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()', t);
      END LOOP;
    END $$`)
}

const credentials = () => ({ email: world.alpha.admin.email, password: world.alpha.password })
const ada = {
  email: 'ada@example.org',
  password: 'analytical engine',
  firstName: 'Ada',
  lastName: 'Lovelace',
}

it.each<[string, () => [method: string, path: string, body?: unknown, token?: string]]>([
  ['a registration', () => ['POST', '/register', ada]],
  ['a log-in', () => ['POST', '/login', credentials()]],
  ['a profile', () => ['PATCH', '/profile', { firstName: 'Grace' }, student]],
  ['a view', () => ['POST', `/collections/items/${world.alpha.collection.itemIds[0]}/view`, {}, student]],
  ['an assignment', () => ['POST', `/assignments/${world.alpha.assignmentId}/start`, {}, student]],
  ['a group', () => ['POST', `/groups/${world.alpha.openGroupId}/join`, {}, student]],
  [
    'an enrolment',
    () => [
      'POST',
      `/exams/${world.alpha.exam.id}/registrations`,
      { userIds: [world.alpha.admin.id] },
      teacher,
    ],
  ],
  ['a beginning', () => ['POST', `/tests/${world.alpha.autoMarkedTest.id}/attempts`, {}, teacher]],
  [
    'an answer',
    () => [
      'POST',
      `/attempts/${open}/answers`,
      { questionId: at(world.alpha.autoMarkedTest.questions, 0).id, option: 0 },
      student,
    ],
  ],
  ['a submission', () => ['POST', `/attempts/${open}/submit`, {}, student]],
  [
    'a marking',
    () => [
      'POST',
      `/attempts/${submitted}/marks`,
      { marks: [{ questionId: at(world.alpha.essayTest.questions, 2).id, score: 4 }] },
      teacher,
    ],
  ],
  // Last, because from then on every token is idle.
  [
    'a return after inactivity',
    () => {
      world.pass({ minutes: 40 })
      return ['GET', '/me', undefined, student]
    },
  ],
])('%s that fails to commit leaves no message', async (_, request) => {
  const [method, path, body, token] = request()
  const answer = await world.call(method, path, { body, token })
  expect(answer.status).toBe(500)
  expect(answer.body).toEqual({ error: { code: 'internal', message: 'Something went wrong on our side.' } })
  expect(String(world.unforeseen.pop())).toContain('refused at commit')
  expect(await world.recorded()).toEqual([])
})
