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

const change = (body: unknown) => world.call('PATCH', '/profile', { token, body })

it('shows the user what is stored', async () => {
  const { body } = await world.call('GET', '/me', { token })
  expect(body.user).toMatchObject({ id: world.alpha.students[0]?.id, firstName: 'Student', attributes: {} })
  expect(JSON.stringify(body)).not.toContain('scrypt')
})

it('changes what is given, leaves the rest, and records all traits', async () => {
  const { status, body } = await change({
    firstName: 'Grace',
    marketingEmailsConsent: 'confirmed',
    profilePicture: 'https://example.org/grace.png',
    attributes: { Department: 'Navy', Year: 3, Scholar: true },
  })
  expect(status).toBe(200)
  expect(body.user).toMatchObject({ firstName: 'Grace', lastName: '1', attributes: { Year: 3 } })
  expect((await world.call('GET', '/me', { token })).body).toEqual(body)
  const [identify, ...more] = await world.recorded()
  expect(more).toEqual([])
  expect(identify).toMatchObject({ type: 'identify', status: 'pending' })
  expect(identify?.traits).toMatchObject({
    name: 'Grace 1',
    marketingEmailsConsent: 'confirmed',
    profilePicture: 'https://example.org/grace.png',
    'EI-Department': 'Navy',
    'EI-Year': 3,
    'EI-Scholar': true,
  })
})

it('tells Segment of what is taken away', async () => {
  await change({ profilePicture: 'https://example.org/a.png', attributes: { Cohort: 'A', Team: 'Red' } })
  await world.forget()
  const { body } = await change({ profilePicture: null, attributes: { Cohort: null, Never: null } })
  expect(body.user).toMatchObject({ profilePicture: null, attributes: { Team: 'Red' } })
  const [identify] = await world.recorded()
  expect(identify?.traits).toMatchObject({ profilePicture: null, 'EI-Cohort': null, 'EI-Team': 'Red' })
  expect(identify?.traits).not.toHaveProperty('EI-Never')
})

it('keeps both of two changes at the same moment', async () => {
  const sql = 'SELECT 1 FROM portal_user WHERE id = $1 FOR NO KEY UPDATE'
  await world.race({ sql, parameters: [at(world.alpha.students, 0).id] }, [
    () => change({ attributes: { Left: 1 } }),
    () => change({ attributes: { Right: 2 } }),
  ])
  const { body } = await world.call('GET', '/me', { token })
  expect(body.user.attributes).toMatchObject({ Left: 1, Right: 2 })
})

it('takes the largest profile that it allows without losing the call', async () => {
  const email = at(world.alpha.students, 1).email
  const attributes = Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [`${i}`.padEnd(50, 'ж'), '\u0001'.repeat(200)]),
  )
  const answer = await world.call('PATCH', '/profile', {
    token: await world.logIn(email),
    body: { attributes },
  })
  expect(answer.status).toBe(200)
  expect((await world.recorded('identify')).map((message) => message.status)).toEqual(['pending', 'pending'])
})

it.each([
  [
    'an attribute too many',
    { attributes: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`a${i}`, 1])) },
  ],
  ['an attribute name that is none', { attributes: { $ref: 1 } }],
  ['an attribute that is no scalar', { attributes: { Team: ['Red'] } }],
  ['a picture from nowhere', { profilePicture: 'javascript:alert(1)' }],
  ['a consent that is none', { marketingEmailsConsent: 'yes' }],
  ['a role', { role: 'admin' }],
])('refuses %s, and records nothing', async (_, body) => {
  const answer = await change(body)
  expect(answer.status).toBe(400)
  expect(await world.recorded()).toEqual([])
})
