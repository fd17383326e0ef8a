import { createPortalWorld, type PortalWorld } from './portal-world'

const ada = {
  email: 'Ada@Example.org',
  password: 'analytical engine',
  firstName: 'Ada',
  lastName: 'Lovelace',
}
let world: PortalWorld

beforeAll(async () => {
  world = await createPortalWorld()
})
afterAll(() => world.end())
beforeEach(async () => {
  await world.forget()
  await world.scene.rows(`DELETE FROM portal_user WHERE email = 'Ada@Example.org'`)
})

const users = () => world.scene.rows(`SELECT * FROM portal_user WHERE lower(email) = 'ada@example.org'`)

describe('register', () => {
  it('creates a student and records the event, the traits and the portal, in this order', async () => {
    const { status, body } = await world.call('POST', '/register', { body: ada })
    expect(status).toBe(201)
    expect(body.user).toMatchObject({ email: ada.email, role: 'student', emailVerified: false })
    expect(JSON.stringify(body)).not.toMatch(/password|hash|scrypt/i)

    const [track, identify, group] = await world.recorded()
    const { id } = body.user
    expect(track).toMatchObject({ event: 'User Registered', userId: id, status: 'pending' })
    expect(track?.properties).toEqual({
      accountId: id,
      method: 'password',
      role: 'student',
      emailVerified: false,
    })
    expect(identify).toMatchObject({ type: 'identify', userId: id, status: 'pending' })
    expect(identify?.traits).toEqual({
      createdAt: world.now().toISOString(),
      email: ada.email,
      emailVerified: false,
      firstName: 'Ada',
      lastName: 'Lovelace',
      name: 'Ada Lovelace',
      marketingEmailsConsent: 'pending',
      profilePicture: null,
    })
    expect(group).toMatchObject({ type: 'group', userId: id, status: 'pending' })
    expect(group).toMatchObject({
      groupId: world.alpha.portalId,
      traits: { kind: 'portal', slug: 'alpha' },
    })
  })

  it('refuses an address that is taken, whatever its case, and leaves no message', async () => {
    await world.call('POST', '/register', { body: ada })
    await world.forget()
    const { status, body } = await world.call('POST', '/register', {
      body: { ...ada, email: 'ADA@example.org' },
    })
    expect(status).toBe(409)
    expect(body.error.code).toBe('email-taken')
    expect(await world.recorded()).toEqual([])
  })

  it('lets one of two registrations at the same moment win, with one event', async () => {
    const registration = () => world.call('POST', '/register', { body: ada })
    const sql = `INSERT INTO portal_user (portal_id, email, password_hash, first_name, last_name, role)
                 VALUES ($1, $2, '', '', '', 'student')`
    const hold = { sql, parameters: [world.alpha.portalId, ada.email] }
    const answers = await world.race(hold, [registration, registration, registration])
    expect(answers.map((answer) => answer.status).sort()).toEqual([201, 409, 409])
    expect(await users()).toHaveLength(1)
    expect(await world.recorded('User Registered')).toHaveLength(1)
  })

  it('lets the same person register in another portal: another user, another message', async () => {
    await world.call('POST', '/register', { body: ada })
    expect((await world.call('POST', '/register', { body: ada, portal: world.beta })).status).toBe(201)
    const ids = (await users()).map((user) => user.id)
    expect(new Set(ids).size).toBe(2)
    expect(await world.recorded('User Registered', world.beta)).toHaveLength(1)
  })

  it.each([
    ['email', { ...ada, email: 'not an address' }],
    ['password', { ...ada, password: 'short' }],
    ['firstName', { ...ada, firstName: '   ' }],
    ['lastName', { ...ada, lastName: 'x\0y' }],
    ['body', { ...ada, role: 'admin' }],
  ])('names the field %s where it is wrong', async (field, body) => {
    const answer = await world.call('POST', '/register', { body })
    expect(answer.status).toBe(400)
    expect(answer.body.error).toMatchObject({
      code: 'invalid-input',
      fields: { [field]: expect.any(String) },
    })
    expect(await users()).toEqual([])
  })
})

describe('log in', () => {
  it('opens a session and records the event and the traits', async () => {
    const [student] = world.alpha.students
    const credentials = { email: student?.email.toUpperCase(), password: world.alpha.password }
    const { status, body } = await world.call('POST', '/login', { body: credentials })
    expect(status).toBe(200)
    const [track, identify] = await world.recorded()
    expect(track).toMatchObject({ event: 'User Logged In', userId: student?.id, status: 'pending' })
    expect(track?.properties).toEqual({ sessionId: body.session.id, method: 'password' })
    expect(identify?.traits).toMatchObject({ email: student?.email, name: 'Student 1' })
    const [session] = await world.scene.rows('SELECT * FROM portal_session WHERE id = $1', [body.session.id])
    expect(JSON.stringify(session)).not.toContain(body.token)
  })

  it.each([
    ['a wrong password', (email: string) => ({ email, password: 'wrong' })],
    ['an unknown address', () => ({ email: 'nobody@example.org', password: 'demonstration' })],
  ])('answers %s with 401, and neither stores nor records anything', async (_, credentials) => {
    const before = await world.scene.rows('SELECT id FROM portal_session')
    const answer = await world.call('POST', '/login', { body: credentials(world.alpha.admin.email) })
    expect(answer.status).toBe(401)
    expect(answer.body.error.code).toBe('invalid-credentials')
    expect(await world.recorded()).toEqual([])
    expect(await world.scene.rows('SELECT id FROM portal_session')).toEqual(before)
  })

  it('does not know a user of another portal', async () => {
    const { email } = world.beta.admin
    const answer = await world.call('POST', '/login', { body: { email, password: world.beta.password } })
    expect(answer.status).toBe(401)
  })
})

describe('log out', () => {
  it('makes the token worthless', async () => {
    const token = await world.logIn(world.alpha.admin.email)
    expect((await world.call('POST', '/logout', { token })).status).toBe(204)
    const answer = await world.call('GET', '/me', { token })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('WWW-Authenticate')).toBe('Bearer')
  })
})
