import { at, createPortalWorld, type PortalWorld } from './portal-world'

let world: PortalWorld
let token: string

beforeAll(async () => {
  world = await createPortalWorld()
})
afterAll(() => world.end())
beforeEach(async () => {
  token = await world.logIn(at(world.alpha.students, 0).email)
  await world.forget()
})

const me = () => world.call('GET', '/me', { token })
const restored = async () =>
  (await world.recorded('User Session Restored')).map((message) => message.properties)

it('records nothing while the user is active', async () => {
  for (let minute = 0; minute < 90; minute += 20) {
    world.pass({ minutes: 20 })
    expect((await me()).status).toBe(200)
  }
  expect(await restored()).toEqual([])
})

it('records each return after a period of inactivity, numbered, with its length', async () => {
  world.pass({ minutes: 30 })
  await me()
  world.pass({ days: 2, seconds: 5 })
  await me()
  await me()
  expect(await restored()).toEqual([
    { sessionId: expect.any(String), restoreNumber: 1, inactiveSeconds: 1800 },
    { sessionId: expect.any(String), restoreNumber: 2, inactiveSeconds: 172_805 },
  ])
  const [message] = await world.recorded('User Session Restored')
  expect(message?.userId).toBe(world.alpha.students[0]?.id)
})

it('records one return, however many requests the opened page sends at once', async () => {
  world.pass({ minutes: 45 })
  const sql = 'SELECT 1 FROM portal_session FOR NO KEY UPDATE'
  const answers = await world.race({ sql, parameters: [] }, Array(6).fill(me))
  expect(answers.map((answer) => answer.status)).toEqual(Array(6).fill(200))
  expect(await restored()).toHaveLength(1)
})

it('keeps two sessions of one user apart', async () => {
  const other = await world.logIn(at(world.alpha.students, 0).email)
  world.pass({ minutes: 31 })
  await me()
  await world.call('GET', '/me', { token: other })
  const sessions = (await restored()).map((properties) => properties?.sessionId)
  expect(new Set(sessions).size).toBe(2)
})

it('ends after its lifetime, however active', async () => {
  for (let day = 0; day < 29; day++) {
    world.pass({ days: 1 })
    expect((await me()).status).toBe(200)
  }
  world.pass({ days: 1 })
  expect((await me()).status).toBe(401)
})
