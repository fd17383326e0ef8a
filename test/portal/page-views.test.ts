import { at, createPortalWorld, type PortalWorld } from './portal-world'

const page = {
  name: 'Test',
  category: 'Tests',
  path: '/tests/42',
  search: '?from=mail',
  referrer: 'https://a.example/',
}
let world: PortalWorld
let token: string

beforeAll(async () => {
  world = await createPortalWorld()
  token = await world.logIn(at(world.alpha.students, 0).email)
})
afterAll(() => world.end())
beforeEach(() => world.forget())

const view = (body: unknown, as?: string) => world.call('POST', '/page-views', { token: as, body })

it('records the user’s page, each time', async () => {
  expect((await view(page, token)).status).toBe(204)
  await view(page, token)
  const [first, ...more] = await world.recorded()
  expect(more).toHaveLength(1)
  expect(first).toMatchObject({ type: 'page', userId: world.alpha.students[0]?.id, status: 'pending' })
  expect(first).toMatchObject({
    name: 'Test',
    category: 'Tests',
    properties: { path: '/tests/42', search: '?from=mail', referrer: 'https://a.example/' },
  })
})

it('records the browser’s page while nobody is logged in', async () => {
  await view({ ...page, anonymousId: 'browser-1' })
  const [message] = await world.recorded()
  expect(message).toMatchObject({ anonymousId: 'browser-1', status: 'pending' })
  expect(message).not.toHaveProperty('userId')
})

it('trusts the token, not the body, on who it was', async () => {
  await view({ ...page, anonymousId: 'browser-1' }, token)
  const [message] = await world.recorded()
  expect(message).toMatchObject({ userId: world.alpha.students[0]?.id })
  expect(message).not.toHaveProperty('anonymousId')
  expect((await view({ ...page, userId: world.alpha.admin.id }, token)).status).toBe(400)
})

it('keeps the longest page that it allows', async () => {
  const longest = {
    name: 'ж'.repeat(200),
    category: 'ж'.repeat(100),
    path: `/${'ж'.repeat(1023)}`,
    title: '\u0001'.repeat(300),
    search: '\u0001'.repeat(1024),
    referrer: '\u0001'.repeat(2048),
  }
  expect((await view(longest, token)).status).toBe(204)
  expect(await world.recorded()).toEqual([expect.objectContaining({ status: 'pending' })])
})

it.each([
  ['nobody at all', page, undefined],
  ['a path that is none', { ...page, anonymousId: 'b', path: 'https://a.example/' }, undefined],
  ['a page without a name', { path: '/', anonymousId: 'b' }, undefined],
])('refuses %s', async (_, body, as) => {
  expect((await view(body, as)).status).toBe(400)
  expect(await world.recorded()).toEqual([])
})

it('refuses a token that is over, rather than recording an anonymous page', async () => {
  expect((await view({ ...page, anonymousId: 'b' }, 'over')).status).toBe(401)
  expect(await world.recorded()).toEqual([])
})
