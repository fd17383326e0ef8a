import { FormTokens } from '../../src/console/access/form-tokens'
import { actions, pages } from '../../src/console/routes'
import { type ConsoleWorld, createConsoleWorld } from './console-world'

let world: ConsoleWorld
let messageId: string
const authorizing: { answer: () => unknown } = { answer: () => undefined }

beforeAll(async () => {
  world = await createConsoleWorld({
    authorize: async ({ headers }) => {
      const user = headers['x-user']
      if (user === 'olga' || user === 'oskar') return { actor: user, mayChange: true }
      if (user === 'rita') return { actor: user, mayChange: false }
      return authorizing.answer() as undefined
    },
  })
  messageId = await world.dead('secret-user')
  await world.outbox.warehouses.connect({
    sourceId: world.portal.source.sourceId,
    url: world.scene.database.url,
    schema: 'public',
  })
})
afterAll(() => world.end())
beforeEach(() => {
  authorizing.answer = () => undefined
})

/** Every page, at an address where it has something to show. */
const addresses: Record<string, () => string> = {
  '/': () => '',
  '/messages': () => '/messages',
  '/messages/:id': () => `/messages/${messageId}`,
  '/failures': () => '/failures',
  '/review': () => '/review?portalId=meridian',
  '/operations/:id': () => '/operations/1',
  '/sources': () => '/sources',
  '/sources/:id': () => `/sources/${world.portal.source.sourceId}`,
  '/sources/:id/warehouse': () => `/sources/${world.portal.source.sourceId}/warehouse`,
  '/audit': () => '/audit',
  '/doctor': () => '/doctor',
}
/** Every action, with a form that would do something. */
const forms: Record<string, () => [string, Record<string, string>]> = {
  '/operations': () => ['/operations', { choice: 'discard', portalId: 'meridian', why: 'test' }],
  '/operations/:id/cancel': () => ['/operations/1/cancel', {}],
  '/sources/:id/:change': () => [`/sources/${world.portal.source.sourceId}/disable`, { why: 'test' }],
  '/sources/:id/warehouse/compare': () => [`/sources/${world.portal.source.sourceId}/warehouse/compare`, {}],
  '/sources/:id/warehouse/send-again': () => [
    `/sources/${world.portal.source.sourceId}/warehouse/send-again`,
    { choice: 'all', why: 'test' },
  ],
}

/** Everything that an action could change. */
const state = () =>
  world.scene.rows(`SELECT status FROM outbox_message UNION ALL SELECT status FROM segment_source
    UNION ALL SELECT count(*)::text FROM outbox_audit UNION ALL SELECT reconciled_at::text FROM segment_warehouse`)

it('is tested for every route', () => {
  expect(Object.keys(addresses)).toEqual(Object.keys(pages))
  expect(Object.keys(forms)).toEqual(Object.keys(actions))
})

describe('nobody in particular', () => {
  it.each(Object.entries(addresses))('does not see %s, nor anything of the data', async (_, address) => {
    const { status, text, headers } = await world.get(address(), {})
    expect(status).toBe(403)
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(text).toContain('You may not look at this')
    expect(text).not.toMatch(/meridian|secret-user|token/)
  })

  it.each(Object.entries(forms))('does not do %s, even with a token', async (_, form) => {
    const before = await state()
    const [path, fields] = form()
    const answer = await world.post(path, { ...fields, token: await world.token() }, {})
    expect(answer.status).toBe(403)
    expect(await state()).toEqual(before)
  })

  it.each([
    ['true', () => true],
    ['an operator without a name', () => ({ actor: ' ', mayChange: true })],
    ['a role that is not said', () => ({ actor: 'eve' })],
    ['a role that is no yes or no', () => ({ actor: 'eve', mayChange: 'no' })],
    ['null', () => null],
  ])('is not let in by an answer of %s', async (_, answer) => {
    authorizing.answer = answer
    expect((await world.get('', {})).status).toBe(403)
  })

  it('is not let in by a check that fails; the application is told, the person nothing', async () => {
    authorizing.answer = () => {
      throw new Error('session store at 10.0.0.7 is down')
    }
    const { status, text, headers } = await world.get('', {})
    expect(status).toBe(500)
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(text).toContain('It could not be found out whether you may look')
    expect(text).not.toMatch(/10\.0\.0\.7|meridian/)
    expect(world.errors).toEqual([expect.objectContaining({ message: 'session store at 10.0.0.7 is down' })])
  })

  it('gets the style sheet, which shows nothing', async () => {
    const { text } = await world.get('', {})
    const path = /href="\/outbox(\/style-[0-9a-f]+\.css)"/.exec(text)?.[1] ?? ''
    const sheet = await world.get(path, {})
    expect([sheet.status, sheet.headers.get('content-type')]).toEqual([200, 'text/css; charset=utf-8'])
    expect(sheet.headers.get('cache-control')).toContain('immutable')
  })
})

describe('who may look only', () => {
  it.each(Object.entries(addresses))(
    'sees %s without a form that changes anything',
    async (route, address) => {
      const { status, text } = await world.get(address(), { 'x-user': 'rita' })
      expect(status).toBe(route === '/operations/:id' ? 404 : 200)
      expect(text).not.toContain('method="post"')
      expect(text).not.toMatch(/href="[^"]*\/review/)
    },
  )

  it.each(Object.entries(forms))('does not do %s, even with the token of one who may', async (_, form) => {
    const before = await state()
    const [path, fields] = form()
    const answer = await world.post(
      path,
      { ...fields, token: await world.token('olga') },
      { 'x-user': 'rita' },
    )
    expect(answer.status).toBe(403)
    expect(answer.text).toContain('You may look, and not change anything')
    expect(await state()).toEqual(before)
  })
})

describe('a form that is not the console’s', () => {
  const forged: [
    string,
    (fields: Record<string, string>) => Promise<[Record<string, string>, Record<string, string>]>,
  ][] = [
    ['without a token', async (fields) => [{ ...fields, token: '' }, {}]],
    [
      'with an invented token',
      async (fields) => [{ ...fields, token: `${Date.now().toString(36)}.AAAA` }, {}],
    ],
    ['with another person’s token', async (fields) => [{ ...fields, token: await world.token('oskar') }, {}]],
    [
      'with a token whose time was changed',
      async (fields) => {
        const [, mark] = (await world.token()).split('.')
        return [{ ...fields, token: `${(Date.now() + 1000).toString(36)}.${mark}` }, {}]
      },
    ],
    ['from another site, by Sec-Fetch-Site', async (fields) => [fields, { 'sec-fetch-site': 'cross-site' }]],
    ['from a neighbouring host', async (fields) => [fields, { 'sec-fetch-site': 'same-site' }]],
    ['from another site, by Origin', async (fields) => [fields, { origin: 'https://evil.example' }]],
    ['from nowhere', async (fields) => [fields, { origin: 'null' }]],
    ['larger than any form', async (fields) => [{ ...fields, more: 'x'.repeat(100_000) }, {}]],
  ]
  const cases = Object.entries(forms).flatMap(([route, form]) =>
    forged.map(([how, forge]) => ({ route, form, how, forge })),
  )

  it.each(cases)('$how changes nothing at $route', async ({ form, forge }) => {
    const before = await state()
    const [path, fields] = form()
    const [sent, headers] = await forge(fields)
    const answer = await world.post(path, sent, { 'x-user': 'olga', ...headers })
    expect(answer.status).toBe(403)
    expect(answer.text).toContain('not sent from the console')
    expect(await state()).toEqual(before)
  })

  it('is told from one that was open for more than twelve hours by nothing: both are refused', async () => {
    const token = await world.token()
    const now = Date.now()
    const clock = jest.spyOn(Date, 'now').mockReturnValue(now + 12 * 3_600_000 + 1000)
    const [path, fields] = ['/operations/1/cancel', { token }]
    const answer = await world.post(path, fields)
    clock.mockRestore()
    expect(answer.status).toBe(403)
    expect((await world.post(path, fields)).status).toBe(303)
  })

  it('is not one that comes through a proxy, whose Host is another', async () => {
    const headers = { 'x-user': 'olga', origin: 'https://synap.ac', 'x-forwarded-host': 'synap.ac' }
    expect((await world.post('/operations/1/cancel', {}, headers)).status).toBe(303)
  })
})

it('accepts a form of another process with the same secret keys, also while they rotate', () => {
  const key = (n: number) => `k${n}:${Buffer.alloc(32, n).toString('base64')}`
  const [before, after] = [
    world.scene.outbox({ secretKeys: key(1) }),
    world.scene.outbox({ secretKeys: `${key(2)},${key(1)}` }),
  ]
  const [old, rotated] = [before, after].map((outbox) => new FormTokens(outbox.deriveKeys('console forms')))
  expect(rotated?.accepts(old?.issue('olga') ?? '', 'olga')).toBe(true)
  expect(old?.accepts(rotated?.issue('olga') ?? '', 'olga')).toBe(false)
})

it.each([...Object.values(addresses), () => '/nowhere'])(
  'lets no page run a script, be framed, be kept or load anything from elsewhere (%#)',
  async (address) => {
    const { headers, text } = await world.get(address())
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    )
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('referrer-policy')).toBe('same-origin')
    expect(text).not.toMatch(/<script|\son\w+=|\sstyle=|(?:src|href|action)="(?!\/outbox|data:,|#main)/)
  },
)
