import { random } from '../support/scene'
import { DashboardVisitor, INTEGRATIONS, SIGN_IN, SIGN_OUT } from './dashboard-visitor'
import { at, createPortalWorld, type PortalWorld } from './portal-world'

let world: PortalWorld
let admin: DashboardVisitor

beforeAll(async () => {
  world = await createPortalWorld()
})
afterAll(() => world.end())
beforeEach(async () => {
  admin = await new DashboardVisitor(world).signIn(world.alpha.admin.email, world.alpha)
})
afterEach(() => expect(world.unforeseen).toEqual([]))

const PAGES = [INTEGRATIONS, `${INTEGRATIONS}/disconnect`]

/** Every form that changes something, filled in so that it would. */
const forms: Record<string, Record<string, string>> = {
  [INTEGRATIONS]: { region: 'us', detailedEvents: 'on', writeKey: random(16), insist: 'on' },
  [`${INTEGRATIONS}/pause`]: {},
  [`${INTEGRATIONS}/resume`]: {},
  [`${INTEGRATIONS}/disconnect`]: {},
  [`${INTEGRATIONS}/reconnect`]: {},
}
const everyForm = Object.entries(forms)

/** Everything about the portals' integrations, and what people did to them. */
async function settings(): Promise<unknown[]> {
  const sources = await world.scene.rows('SELECT * FROM segment_source ORDER BY source_id')
  return [...sources, ...(await world.scene.rows('SELECT * FROM outbox_audit ORDER BY audit_id'))]
}

async function changesNothing<T>(act: () => Promise<T>): Promise<T> {
  const before = await settings()
  const result = await act()
  expect(await settings()).toEqual(before)
  return result
}

it('is tested for every address of the dashboard', () => {
  const routes = world.app.routes
    .filter(({ method, path }) => method !== 'ALL' && path.startsWith('/portal-dashboard'))
    .map(({ method, path }) => `${method} ${path}`)
  const tested = [
    ...[...PAGES, SIGN_IN, '/portal-dashboard/style.css'].map((path) => `GET ${path}`),
    ...[...Object.keys(forms), SIGN_IN, SIGN_OUT].map((path) => `POST ${path}`),
  ]
  expect([...new Set(routes)].sort()).toEqual(tested.sort())
})

describe('nobody', () => {
  it.each(PAGES)('who opens %s is asked to sign in', async (path) => {
    const { status, headers, text } = await new DashboardVisitor(world).get(path)
    expect([status, headers.get('Location'), text]).toEqual([303, SIGN_IN, ''])
  })

  it.each(everyForm)('who sends %s changes nothing', async (path, fields) => {
    const stranger = new DashboardVisitor(world)
    const stolen = { ...(await admin.hiddenFields()), ...fields }
    const answer = await changesNothing(() => stranger.post(path, stolen))
    expect([answer.status, answer.headers.get('Location')]).toEqual([303, SIGN_IN])
    expect((await stranger.get(SIGN_IN)).text).toContain('Your session is over.')
    expect((await stranger.get(SIGN_IN)).text).not.toContain('Your session is over.')
  })

  it('gets in with a bearer token of the API in no header', async () => {
    const token = await world.logIn(world.alpha.admin.email)
    const answer = await admin.world.app.request(INTEGRATIONS, {
      headers: { Authorization: `Bearer ${token}` },
    })
    expect(answer.status).toBe(303)
  })
})

describe.each(['student', 'teacher'] as const)('a %s', (role) => {
  let visitor: DashboardVisitor
  beforeEach(async () => {
    const user = role === 'student' ? at(world.alpha.students, 0) : world.alpha.teacher
    visitor = await new DashboardVisitor(world).signIn(user.email, world.alpha)
  })

  it.each(PAGES)('is told in plain words that %s is for admins', async (path) => {
    const { status, text } = await visitor.get(path)
    expect(status).toBe(403)
    expect(text).toContain('This page is for admins of the portal.')
    expect(text).not.toMatch(/write.?key/i)
  })

  it.each(everyForm)('changes nothing with %s', async (path, fields) => {
    const { formToken = '' } = await visitor.hiddenFields()
    const { seen = '' } = await admin.hiddenFields()
    const answer = await changesNothing(() => visitor.post(path, { seen, formToken, ...fields }))
    expect(answer.status).toBe(403)
  })
})

describe('an admin of another portal', () => {
  let other: DashboardVisitor
  beforeEach(async () => {
    other = await new DashboardVisitor(world).signIn(world.beta.admin.email, world.beta)
  })

  it('sees nothing of this one', async () => {
    const source = await world.outbox.sources.ofPortal(world.alpha.portalId)
    for (const path of PAGES) {
      const { text } = await other.get(path)
      expect(text).toContain('beta')
      expect(text).not.toContain('alpha')
      expect(text).not.toContain(source?.sourceId)
      expect(text).not.toContain(source?.writeKeyLastFour)
    }
  })

  it.each(everyForm)('changes nothing here with what %s says here', async (path, fields) => {
    const source = await world.outbox.sources.ofPortal(world.alpha.portalId)
    const alphas = async () =>
      (await settings()).filter((row) => JSON.stringify(row).includes(world.alpha.portalId))
    const before = await alphas()
    const { seen = '' } = await admin.hiddenFields()
    const { formToken = '' } = await other.hiddenFields()
    const naming = { portal: 'alpha', portalId: world.alpha.portalId, sourceId: source?.sourceId ?? '' }
    const answer = await changesNothing(() => other.post(path, { ...naming, seen, formToken, ...fields }))
    expect(answer.status).toBe(422)
    expect(await alphas()).toEqual(before)
  })

  it('cannot connect again what this portal was connected to', async () => {
    const source = await world.outbox.sources.ofPortal(world.alpha.portalId)
    const sourceId = source?.sourceId ?? ''
    await world.outbox.sources.disable(sourceId)
    const { formToken = '' } = await other.hiddenFields()
    const answer = await changesNothing(() =>
      other.post(`${INTEGRATIONS}/reconnect`, { formToken, sourceId }),
    )
    expect(answer.status).toBe(422)
    await world.outbox.sources.resume(sourceId)
  })

  it('cannot sign in here', async () => {
    const { email } = world.beta.admin
    const answer = await new DashboardVisitor(world).post(SIGN_IN, {
      portal: 'alpha',
      email,
      password: 'demonstration',
    })
    expect(answer.status).toBe(422)
  })
})

describe('a forged form', () => {
  const own = { 'Sec-Fetch-Site': 'same-origin' }
  const urlencoded = { 'Content-Type': 'application/x-www-form-urlencoded' }
  const forgeries: [
    string,
    { token?: 'none' | 'wrong' | 'of another session'; headers: Record<string, string> },
  ][] = [
    ['without a token', { token: 'none', headers: own }],
    ['with a wrong token', { token: 'wrong', headers: own }],
    ['with the token of another session', { token: 'of another session', headers: own }],
    ['from another site', { headers: { 'Sec-Fetch-Site': 'cross-site' } }],
    ['from a sister site', { headers: { 'Sec-Fetch-Site': 'same-site' } }],
    ['from another origin', { headers: { Origin: 'https://evil.example' } }],
    ['from another port of this host', { headers: { Origin: 'http://portal.example:8080' } }],
    ['from an origin without a name', { headers: { Origin: 'null' } }],
    ['from nowhere', { headers: {} }],
    ['as JSON', { headers: { ...own, 'Content-Type': 'text/plain' } }],
  ]

  it.each(forgeries)('%s changes nothing', async (_, { token, headers }) => {
    const sister = await new DashboardVisitor(world).signIn(world.alpha.admin.email, world.alpha)
    const { seen = '', formToken = '' } = await admin.hiddenFields()
    const tokens = {
      none: {},
      wrong: { formToken: formToken.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')) },
      'of another session': { formToken: (await sister.hiddenFields()).formToken ?? '' },
    }
    const fields = { seen, ...(token ? tokens[token] : { formToken }) }
    for (const [path, filled] of everyForm) {
      const body = new URLSearchParams({ ...fields, ...filled }).toString()
      const answer = await changesNothing(() =>
        admin.request('POST', path, { body, headers: { ...urlencoded, ...headers } }),
      )
      expect([path, answer.status]).toEqual([path, 403])
      expect(answer.text).toContain('Nothing was changed')
    }
  })

  it('can neither sign anybody in nor out', async () => {
    const headers = { ...urlencoded, 'Sec-Fetch-Site': 'cross-site' }
    const credentials = { portal: 'alpha', email: world.alpha.admin.email, password: world.alpha.password }
    const body = new URLSearchParams(credentials).toString()
    const victim = new DashboardVisitor(world)
    expect((await victim.request('POST', SIGN_IN, { body, headers })).status).toBe(403)
    expect(victim.cookies.size).toBe(0)
    expect((await admin.post(SIGN_OUT)).status).toBe(403)
    expect((await admin.get(INTEGRATIONS)).status).toBe(200)
  })
})

describe('a session', () => {
  it('ends by signing out, for whoever has copied its cookie too', async () => {
    const copy = new DashboardVisitor(world)
    for (const [name, value] of admin.cookies) copy.cookies.set(name, value)
    const { formToken = '' } = await admin.hiddenFields()
    const answer = await admin.post(SIGN_OUT, { formToken })
    expect([answer.status, answer.headers.get('Location')]).toEqual([303, SIGN_IN])
    expect((await admin.get(SIGN_IN)).text).toContain('You are signed out.')
    expect((await admin.get(INTEGRATIONS)).status).toBe(303)
    expect((await copy.get(INTEGRATIONS)).status).toBe(303)
  })

  it('is over after its lifetime: nothing is changed, and its cookie goes', async () => {
    const fields = await admin.hiddenFields()
    world.pass({ days: 31 })
    for (const [path, filled] of everyForm) {
      const late = new DashboardVisitor(world)
      for (const [name, value] of admin.cookies) late.cookies.set(name, value)
      const answer = await changesNothing(() => late.post(path, { ...fields, ...filled }))
      expect([answer.status, answer.headers.get('Location')]).toEqual([303, SIGN_IN])
      expect([...late.cookies.keys()]).toEqual(['synap_notice'])
    }
  })

  it.each([
    ['http://portal.example', {}, /^synap_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/],
    [
      'https://portal.example',
      {},
      /^__Host-synap_session=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    ],
    [
      'http://portal.example',
      { 'X-Forwarded-Proto': 'https' },
      /^__Host-synap_session=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    ],
  ])('is kept where no script and no other site reads it: %s %j', async (origin, headers, cookie) => {
    const { admin: user, password } = world.alpha
    const answer = await new DashboardVisitor(world, origin).request('POST', SIGN_IN, {
      body: new URLSearchParams({ portal: 'alpha', email: user.email, password }),
      headers: { Origin: origin, ...headers },
    })
    expect(answer.headers.getSetCookie()).toEqual([expect.stringMatching(cookie)])
  })

  it('over https comes from this very host only: a cookie that a sister host may set is not taken', async () => {
    const secure = await new DashboardVisitor(world, 'https://portal.example').signIn(
      world.alpha.admin.email,
      world.alpha,
    )
    expect((await secure.get(INTEGRATIONS)).status).toBe(200)
    const planted = new DashboardVisitor(world, 'https://portal.example')
    planted.cookies.set('synap_session', [...secure.cookies.values()].join(''))
    expect((await planted.get(INTEGRATIONS)).status).toBe(303)
  })
})

describe('signing in', () => {
  it.each([
    ['a wrong password', { password: 'wrong' }],
    ['an unknown address', { email: 'nobody@alpha.example' }],
    ['an unknown portal', { portal: 'nowhere' }],
    ['nothing', { portal: '', email: '', password: '' }],
    ['text that no database takes', { email: '\0' }],
  ])('with %s fails in the same words', async (_, wrong) => {
    const right = { portal: 'alpha', email: world.alpha.admin.email, password: 'demonstration' }
    const visitor = new DashboardVisitor(world)
    const { status, text } = await visitor.post(SIGN_IN, { ...right, ...wrong })
    expect(status).toBe(422)
    expect(text).toContain('The portal, the email address or the password is wrong.')
    expect(text).not.toMatch(/value="(demonstration|wrong)"/)
    expect(visitor.cookies.size).toBe(0)
  })

  it('leads to one place, whatever address comes with it', async () => {
    const fields = { portal: 'Alpha ', email: world.alpha.admin.email, password: world.alpha.password }
    const visitor = new DashboardVisitor(world)
    const evil = 'https://evil.example/'
    const query = `?next=${evil}&return=${evil}&redirect=//evil.example`
    const answer = await visitor.post(`${SIGN_IN}${query}`, { ...fields, next: evil })
    expect([answer.status, answer.headers.get('Location')]).toEqual([303, INTEGRATIONS])
  })

  it('is an explicit log-in, and recorded as such', async () => {
    await world.forget()
    await new DashboardVisitor(world).signIn(world.alpha.admin.email, world.alpha)
    expect((await world.recorded('User Logged In')).map((message) => message.userId)).toEqual([
      world.alpha.admin.id,
    ])
  })
})

it('changes nothing by being looked at', async () => {
  await changesNothing(async () => {
    for (const path of [...PAGES, ...Object.keys(forms), SIGN_OUT]) {
      await admin.get(`${path}?region=eu&seen=none`)
      await admin.request('HEAD', path)
    }
  })
  expect((await admin.get(INTEGRATIONS)).status).toBe(200)
})

it('says which methods an address takes', async () => {
  const headers = { 'Sec-Fetch-Site': 'same-origin', 'Content-Type': 'application/x-www-form-urlencoded' }
  const { formToken = '' } = await admin.hiddenFields()
  const body = new URLSearchParams({ formToken }).toString()
  const allowed = async (method: string, path: string) => {
    const withBody = method === 'GET' ? {} : { body, headers }
    const answer = await changesNothing(() => admin.request(method, path, withBody))
    return [answer.status, answer.headers.get('Allow')]
  }
  expect(await allowed('PUT', INTEGRATIONS)).toEqual([405, 'GET, POST'])
  expect(await allowed('DELETE', `${INTEGRATIONS}/disconnect`)).toEqual([405, 'GET, POST'])
  expect(await allowed('GET', `${INTEGRATIONS}/pause`)).toEqual([405, 'POST'])
  expect(await allowed('GET', SIGN_OUT)).toEqual([405, 'POST'])
  expect(await allowed('PATCH', SIGN_IN)).toEqual([405, 'GET, POST'])
})

it('takes no form that is too large', async () => {
  const fields = { ...(await admin.hiddenFields()), region: 'us', writeKey: 'k'.repeat(9000) }
  const answer = await changesNothing(() => admin.post(INTEGRATIONS, fields))
  expect(answer.status).toBe(413)
  expect(answer.text).toContain('too large')
})

it('refuses a form with a choice that it does not offer', async () => {
  const fields = { ...(await admin.hiddenFields()), region: 'mars', writeKey: random(16) }
  expect((await changesNothing(() => admin.post(INTEGRATIONS, fields))).status).toBe(403)
})

it('does not undo what another admin has done while the page was open', async () => {
  const stale = await admin.hiddenFields()
  const colleague = await new DashboardVisitor(world).signIn(world.alpha.admin.email, world.alpha)
  const fresh = await colleague.hiddenFields()
  expect((await colleague.post(INTEGRATIONS, { ...fresh, region: 'us' })).status).toBe(303)
  for (const [path, filled] of everyForm) {
    const answer = await changesNothing(() => admin.post(path, { ...stale, ...filled }))
    expect([path, answer.status]).toEqual([path, 422])
    expect(answer.text).toContain('Somebody else has changed these settings while this page was open.')
  }
})

it('protects every answer, and asks for nothing from anywhere else', async () => {
  const answers = [
    await admin.get(INTEGRATIONS),
    await admin.get(`${INTEGRATIONS}/disconnect`),
    await admin.get('/portal-dashboard/nothing'),
    await admin.get(`${INTEGRATIONS}/pause`),
    await admin.post(INTEGRATIONS),
    await admin.post(INTEGRATIONS, { writeKey: 'k'.repeat(9000) }),
    await admin.get('/portal-dashboard/style.css'),
    await new DashboardVisitor(world).get(SIGN_IN),
    await new DashboardVisitor(world).get(INTEGRATIONS),
  ]
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 404, 405, 403, 413, 200, 200, 303])
  for (const { headers, text } of answers) {
    const policy = headers.get('Content-Security-Policy') ?? ''
    for (const rule of [
      "default-src 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ])
      expect(policy).toContain(rule)
    expect(policy).not.toMatch(/script-src|unsafe/)
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff')
    expect(headers.get('Referrer-Policy')).toBe('same-origin')
    expect(text).not.toMatch(/<script|https?:\/\/|style="| on\w+=/i)
    if (/html/.test(headers.get('Content-Type') ?? '')) expect(headers.get('Cache-Control')).toBe('no-store')
  }
})
