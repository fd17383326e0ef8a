import { createPortalApp } from '../../src/portal/http/app'
import { at, createPortalWorld, type PortalWorld } from './portal-world'

let world: PortalWorld
let token: string

beforeAll(async () => {
  world = await createPortalWorld()
  token = await world.logIn(at(world.alpha.students, 0).email)
  await world.forget()
})
afterAll(() => world.end())

describe('authentication', () => {
  it.each([
    ['no header', {}],
    ['another scheme', { Authorization: 'Basic YWRhOmFkYQ==' }],
    ['no token', { Authorization: 'Bearer ' }],
    ['an unknown token', { Authorization: `Bearer ${'x'.repeat(43)}` }],
    ['an absurd token', { Authorization: `Bearer ${'x'.repeat(8000)}` }],
  ])('answers %s with 401', async (_, headers) => {
    const answer = await world.call('GET', '/me', { headers })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('WWW-Authenticate')).toBe('Bearer')
    expect(answer.body.error.message).toEqual(expect.any(String))
  })
})

describe('input', () => {
  const register = (body: unknown) => world.call('POST', '/register', { body })

  it('is JSON, or refused with 400', async () => {
    for (const body of ['{', 'email=a', '[]', 'null', '"text"', '[[[[[[', '']) {
      expect((await register(body)).status).toBe(400)
    }
  })

  it('names every field that is wrong', async () => {
    const { body } = await register({ email: 1, password: '', firstName: 'x'.repeat(101) })
    expect(Object.keys(body.error.fields).sort()).toEqual(['email', 'firstName', 'lastName', 'password'])
  })

  it('is at most 128 KB, or refused with 413', async () => {
    const answer = await register({ email: 'x'.repeat(200_000) })
    expect([answer.status, answer.body.error.code]).toEqual([413, 'body-too-large'])
    const inChunks = new ReadableStream<Uint8Array>({
      pull: (stream) => stream.enqueue(new Uint8Array(50_000).fill(32)),
    })
    const request = new Request('http://portal/api/portals/alpha/register', {
      method: 'POST',
      body: inChunks,
      duplex: 'half',
    } as RequestInit)
    expect((await world.app.request(request)).status).toBe(413)
  })

  it('takes ids in the address that are ids', async () => {
    for (const id of ['1', 'null', '%00', "'; DROP TABLE portal;--", `${world.alpha.assignmentId}0`]) {
      const answer = await world.call('POST', `/assignments/${encodeURIComponent(id)}/start`, { token })
      expect(answer.status).toBe(400)
      expect(answer.body.error.fields).toEqual({ id: expect.any(String) })
    }
  })
})

describe('addresses', () => {
  it('that are unknown are answered in JSON', async () => {
    for (const path of ['/', '/api', '/api/portals/alpha/nowhere']) {
      const response = await world.app.request(path)
      expect(response.status).toBe(404)
      expect(await response.json()).toMatchObject({ error: { code: 'not-found' } })
    }
  })

  it.each(['unknown', 'ALPHA', '%00', 'a%2Fb', '%F0%9F'])('of no portal (%s) are not found', async (slug) => {
    const response = await world.app.request(`/api/portals/${slug}/me`)
    expect(response.status).toBe(404)
  })
})

describe('what nobody foresaw', () => {
  it('is reported, and tells the caller nothing', async () => {
    const dataSource = await world.scene.database.connect()
    const unforeseen: unknown[] = []
    const app = createPortalApp({
      dataSource,
      outbox: world.outbox,
      onError: (error) => unforeseen.push(error),
    })
    expect((await app.request('/health')).status).toBe(200)
    await dataSource.destroy()
    const response = await app.request('/api/portals/alpha/me')
    expect(response.status).toBe(500)
    expect(await response.json()).toEqual({
      error: { code: 'internal', message: 'Something went wrong on our side.' },
    })
    expect(unforeseen).toHaveLength(1)
    expect((await app.request('/health')).status).toBe(503)
  })
})

it('has answered nothing with 500, and recorded nothing', async () => {
  expect(world.unforeseen).toEqual([])
  expect(await world.recorded()).toEqual([])
})
