import { type SeededPortal } from '../../src/portal/seed'
import { keepScreenshot } from '../support/browser'
import { random } from '../support/scene'
import {
  connect,
  createIntegrationsStage,
  expectNowhere,
  fillNewKey,
  type IntegrationsStage,
  notice,
  press,
  save,
  status,
  textOf,
} from './integrations-stage'
import type { PortalWorld } from './portal-world'

let stage: IntegrationsStage
let world: PortalWorld
/** Of the pictures that are kept in docs/images. */
const FOR_THE_DOCS = { width: 1000, height: 700 }

beforeAll(async () => {
  stage = await createIntegrationsStage()
  world = stage.world
}, 120_000)
afterAll(() => stage.end())
afterEach(async () => {
  await stage.clear()
  expect(world.unforeseen).toEqual([])
  expect(stage.forbidden).toEqual([])
})

const sourceOf = (portal: SeededPortal) => world.outbox.sources.ofPortal(portal.portalId)
const accepted = (writeKey: string) => world.scene.segment.accepted({ writeKey })
const eventsOf = (writeKey: string) => accepted(writeKey).flatMap(({ message }) => message.event ?? [])
const pendingOf = async (portal: SeededPortal) =>
  (await world.recorded(undefined, portal)).filter((message) => message.status === 'pending').length

it('leads an admin from an empty page to events that flow: from exam to settled', async () => {
  const portal = await stage.newPortal('Meridian Medical College', 'meridian')
  const writeKey = stage.knownKey()
  const page = await stage.openAsAdmin(portal, { viewport: FOR_THE_DOCS })
  expect(await status(page)).toContain('Not connected')
  await keepScreenshot(page, 'integrations-empty')
  await stage.sitTest(portal, 1)
  expect(await world.recorded(undefined, portal)).toEqual([])

  await page.getByLabel('Also send each answer').check()
  await connect(page, writeKey)
  expect(await notice(page)).toBe(
    'Saved. What happens in your portal is sent to Segment from now on. Segment knows this key.',
  )
  expect(await page.getByText(`••••••••`).isVisible()).toBe(true)
  expect(await page.getByText(`ends in ${writeKey.slice(-4)}`).isVisible()).toBe(true)
  await expectNowhere(page, writeKey)
  expect(await status(page)).toMatch(/Connected[\s\S]*Last delivered\s+never yet/)

  await stage.sitTest(portal)
  const recorded = (await world.recorded(undefined, portal)).length
  await page.reload()
  expect(await status(page)).toMatch(new RegExp(`Waiting\\s+${recorded} events`))
  await world.outbox.drain()
  await stage.backdate(portal, { verified: '5 days', delivered: '3 minutes' })
  await page.reload()
  expect(await page.getByRole('status').count()).toBe(0)
  expect(await status(page)).toMatch(
    /Events are flowing\s+Everything that was recorded has reached Segment\.\s+Last delivered\s+3 minutes ago \(\d+ \w+ \d{4}, \d\d:\d\d UTC\)\s+Waiting\s+nothing\s+Last problem\s+none/,
  )
  expect(await page.getByText('Known to Segment, checked 5 days ago.').isVisible()).toBe(true)
  expect(accepted(writeKey)).toHaveLength(recorded)
  expect(eventsOf(writeKey)).toEqual([
    'User Logged In',
    'Began Test',
    ...portal.autoMarkedTest.questions.map(() => 'Question Answered'),
    'Submitted Test',
    'Completed Test',
  ])
  await keepScreenshot(page, 'integrations')
}, 60_000)

it('refuses a key that Segment does not know, unless the admin insists', async () => {
  const portal = await stage.newPortal()
  const writeKey = random(16)
  const page = await stage.openAsAdmin(portal)
  await page.getByLabel('European Union').check()
  await connect(page, writeKey)
  const summary = page.getByRole('alert')
  expect(await textOf(summary)).toMatch(/Nothing was saved yet\s+Segment does not know this write key/)
  expect(await page.locator('[role=alert]:focus').count()).toBe(1)
  expect(await page.title()).toMatch(/^Error: /)
  await expectNowhere(page, writeKey)
  expect(await page.getByLabel('European Union').isChecked()).toBe(true)
  expect(await sourceOf(portal)).toBeUndefined()
  await keepScreenshot(page, 'integrations-unknown-key')

  await page.getByLabel('Segment Write Key').fill(writeKey)
  await page.getByLabel('Save it anyway').check()
  await save(page)
  expect(await notice(page)).toContain(
    'Segment does not know this key, and may be throwing away every event.',
  )
  expect(await status(page)).toMatch(/Probably lost[\s\S]*copy the write key/)
  expect(await sourceOf(portal)).toMatchObject({ verification: 'unknown', region: 'eu' })
  await expectNowhere(page, writeKey)
}, 60_000)

it.each([['12345'], ['has space in it'], ['ключ-из-чужой-системы']])(
  'says what is wrong with "%s", and does not ask Segment',
  async (noKey) => {
    const portal = await stage.newPortal()
    const page = await stage.openAsAdmin(portal)
    const asked = world.scene.segment.requests().length
    await connect(page, noKey)
    expect(await textOf(page.getByRole('alert'))).toContain('This is not a write key.')
    const field = page.getByLabel('Segment Write Key')
    expect(await field.getAttribute('aria-invalid')).toBe('true')
    expect(await field.getAttribute('aria-describedby')).toContain('write-key-error')
    await expectNowhere(page, noKey)
    expect(world.scene.segment.requests()).toHaveLength(asked)
    expect(await sourceOf(portal)).toBeUndefined()
  },
)

it('asks for a key where there is none', async () => {
  const page = await stage.openAsAdmin(await stage.newPortal())
  await save(page)
  expect(await textOf(page.getByRole('alert'))).toContain('The write key is missing.')
})

it('saves a key that could not be checked, says so, and checks it when it is saved again', async () => {
  const portal = await stage.newPortal()
  const writeKey = stage.knownKey()
  const page = await stage.openAsAdmin(portal)
  const down = world.scene.segment.fault({ kind: 'status', status: 503 }, { on: 'settings' })
  await connect(page, ` ${writeKey} `)
  expect(await notice(page)).toContain('The key could not be checked, because Segment did not answer.')
  expect(await page.getByText('Not checked yet').isVisible()).toBe(true)
  await down.clear()
  await fillNewKey(page, writeKey)
  await save(page)
  expect(await notice(page)).toContain('Segment knows this key.')
  expect(await page.getByText('Not checked yet').count()).toBe(0)
  await stage.sitTest(portal)
  await world.outbox.drain()
  expect(eventsOf(writeKey)).toContain('Completed Test')
})

it('says when what Segment took is not in the warehouse', async () => {
  const portal = await stage.newPortal()
  const page = await stage.openAsAdmin(portal)
  await connect(page, stage.knownKey())
  await save(page)
  const { sourceId } = (await sourceOf(portal)) as { sourceId: string }
  const { database, rows } = stage.world.scene
  await stage.world.outbox.warehouses.connect({ sourceId, url: database.url, schema: 'gamma' })
  const found = async (changes: string) => {
    await rows(`UPDATE segment_warehouse SET ${changes} WHERE source_id = $1`, [sourceId])
    await page.reload()
    return status(page)
  }
  expect(await found('missing = 2, reconciled_at = now()')).toMatch(
    /Events missing[\s\S]*2 events were not in your warehouse when we last compared/,
  )
  await keepScreenshot(page, 'integrations-missing')
  expect(await found('canary_lost_since = now()')).toMatch(
    /Probably lost[\s\S]*they do not arrive in your warehouse[\s\S]*Synap support/,
  )
}, 60_000)

it('shows a refused key, and sends what waits with the new one, under the same ids', async () => {
  const portal = await stage.newPortal('Northfield Academy', 'northfield')
  const [old, fresh] = [stage.knownKey(), stage.knownKey()]
  const page = await stage.openAsAdmin(portal, { viewport: FOR_THE_DOCS })
  await connect(page, old)
  await stage.sitTest(portal, 1)
  await world.outbox.drain()
  const early = accepted(old).length
  const hostile = `<script>document.title='owned'</script><img src=x onerror=alert(1)> ${old}`
  world.scene.segment.fault({ kind: 'status', status: 401, body: hostile }, { writeKey: old })
  await stage.sitTest(portal)
  await world.outbox.drain()
  const ids = await world.scene.rows(
    `SELECT message_id FROM outbox_message WHERE portal_id = $1 AND status = 'pending' ORDER BY seq`,
    [portal.portalId],
  )

  await stage.backdate(portal, { verified: '40 days', delivered: '2 hours', failed: '4 minutes' })
  await page.reload()
  expect(await status(page)).toMatch(/Last delivered 2 hours ago .* Last problem 4 minutes ago/)
  expect(await status(page)).toMatch(/Action needed[\s\S]*API Keys, and copy the write key/)
  expect(await status(page)).toMatch(new RegExp(`Waiting\\s+${ids.length} events`))
  await keepScreenshot(page, 'integrations-trouble')
  await page.getByText('For Synap support').click()
  expect(await textOf(page.locator('.technical'))).toContain(
    `HTTP 401: <script>document.title='owned'</script><img`,
  )
  expect(await page.locator('script, img').count()).toBe(0)
  await expectNowhere(page, old)

  await page.getByLabel('New Segment Write Key').fill(fresh)
  expect(await page.getByLabel('the same workspace').isChecked()).toBe(true)
  await save(page)
  expect(await notice(page)).toMatch(/^The new write key is saved\. What is waiting goes out with it\./)
  await world.outbox.drain()
  expect(accepted(fresh).map(({ message }) => message.messageId)).toEqual(ids.map((row) => row.message_id))
  expect(accepted(old)).toHaveLength(early)
  await page.reload()
  expect(await status(page)).toMatch(/Events are flowing[\s\S]*solved since/)
  await expectNowhere(page, fresh)
}, 60_000)

it('shows that Segment is in trouble, and that nothing is lost or to be done', async () => {
  const portal = await stage.newPortal()
  const page = await stage.openAsAdmin(portal)
  const writeKey = stage.knownKey()
  await connect(page, writeKey)
  world.scene.segment.fault({ kind: 'status', status: 503 }, { writeKey })
  await stage.sitTest(portal)
  await world.outbox.drain()
  await page.reload()
  expect(await status(page)).toMatch(
    /Trouble\s+Segment does not take events at the moment\. Nothing is lost: \d+ events wait here\.\s+We try again by ourselves/,
  )
  expect(await page.getByText('HTTP 503').isVisible()).toBe(false)
  await page.getByText('For Synap support').click()
  expect(await page.getByText('HTTP 503').isVisible()).toBe(true)
})

it('sends to the region that the admin chose, and asks for a key to change it', async () => {
  const portal = await stage.newPortal()
  const writeKey = stage.knownKey('eu')
  const page = await stage.openAsAdmin(portal)
  await page.getByLabel('European Union').check()
  await connect(page, writeKey)
  await stage.sitTest(portal)
  await world.outbox.drain()
  expect(accepted(writeKey).length).toBeGreaterThan(0)

  await page.getByLabel('United States').check()
  await save(page)
  expect(await textOf(page.getByRole('alert'))).toContain('A write key belongs to one region.')
  expect(await sourceOf(portal)).toMatchObject({ region: 'eu' })
})

it('switches Detailed Event Tracking without the key being typed again', async () => {
  const portal = await stage.newPortal()
  const writeKey = stage.knownKey()
  const page = await stage.openAsAdmin(portal)
  await connect(page, writeKey)
  await stage.sitTest(portal)
  await world.outbox.drain()
  expect(eventsOf(writeKey)).not.toContain('Question Answered')

  await page.getByLabel('Also send each answer').check()
  await save(page)
  expect(await notice(page)).toBe('Saved. It holds for what happens from now on.')
  await save(page)
  expect(await notice(page)).toBe('There was nothing to change.')
  await page.getByText('Replace key').click()
  await page.getByLabel('another workspace').check()
  await save(page)
  expect(await textOf(page.getByRole('alert'))).toContain('The write key is missing.')
  await stage.sitTest(portal, 1)
  await world.outbox.drain()
  expect(eventsOf(writeKey)).toContain('Question Answered')
})

it('pauses and resumes: what happens meanwhile is held, then sent', async () => {
  const portal = await stage.newPortal()
  const writeKey = stage.knownKey()
  const page = await stage.openAsAdmin(portal)
  await connect(page, writeKey)
  await press(page, 'button', 'Pause')
  expect(await notice(page)).toContain('Paused.')
  await stage.sitTest(portal)
  await world.outbox.drain()
  expect(accepted(writeKey)).toEqual([])
  await page.reload()
  expect(await status(page)).toMatch(/Paused\s+Events are recorded and held: \d+ events wait\./)

  await press(page, 'button', 'Resume')
  expect(await notice(page)).toContain('Resumed.')
  await world.outbox.drain()
  expect(eventsOf(writeKey)).toContain('Completed Test')
})

it('disconnects after a warning, and connects the same workspace again', async () => {
  const portal = await stage.newPortal()
  const writeKey = stage.knownKey()
  const page = await stage.openAsAdmin(portal)
  await connect(page, writeKey)
  await press(page, 'button', 'Pause')
  await stage.sitTest(portal)
  const held = await pendingOf(portal)

  await press(page, 'link', 'Disconnect')
  expect(await textOf(page.getByRole('main'))).toContain(`${held} events wait to be sent. They are held`)
  await keepScreenshot(page, 'integrations-disconnect')
  await press(page, 'link', 'Go back')
  expect((await sourceOf(portal))?.status).toBe('paused')
  await press(page, 'link', 'Disconnect')
  await press(page, 'button', 'Disconnect')
  expect(await notice(page)).toContain('Disconnected.')
  expect(await status(page)).toContain('Not connected')
  await stage.sitTest(portal, 1)
  await world.outbox.drain()
  expect(await pendingOf(portal)).toBe(held)

  await press(page, 'button', `Connect again, with the key that ends in ${writeKey.slice(-4)}`)
  expect(await notice(page)).toContain('Connected again.')
  await world.outbox.drain()
  expect(accepted(writeKey)).toHaveLength(held)
}, 60_000)

it('moves to another workspace: what waits for the old one is held, what is new goes to the new one', async () => {
  const portal = await stage.newPortal()
  const [old, other] = [stage.knownKey(), stage.knownKey()]
  const page = await stage.openAsAdmin(portal)
  await connect(page, old)
  await stage.sitTest(portal)
  const before = await sourceOf(portal)
  await fillNewKey(page, random(16))
  await page.getByLabel('another workspace').check()
  await save(page)
  expect(await textOf(page.getByRole('alert'))).toContain('Segment does not know this write key')
  expect((await sourceOf(portal))?.sourceId).toBe(before?.sourceId)

  expect(await page.getByLabel('another workspace').isChecked()).toBe(true)
  await page.getByLabel('New Segment Write Key').fill(other)
  await save(page)
  expect(await notice(page)).toContain('The other workspace is connected.')
  await stage.sitTest(portal, 1)
  await world.outbox.drain()
  expect(accepted(old)).toEqual([])
  expect(eventsOf(other).filter((event) => event === 'Completed Test')).toHaveLength(1)
  const after = await sourceOf(portal)
  expect(after?.sourceId).not.toBe(before?.sourceId)

  await page.reload()
  const held = page.getByRole('region', { name: 'Held for a workspace from before' })
  expect(await textOf(held)).toMatch(new RegExp(`Key that ends in ${old.slice(-4)}: \\d+ events wait\\.`))
})

it('names who did what in the audit', async () => {
  const portal = await stage.newPortal()
  const page = await stage.openAsAdmin(portal)
  await connect(page, stage.knownKey())
  await press(page, 'button', 'Pause')
  const entries = await world.scene.rows(
    'SELECT actor, action FROM outbox_audit WHERE source_id = $1 ORDER BY audit_id',
    [(await sourceOf(portal))?.sourceId],
  )
  const actor = portal.admin.email
  expect(entries).toEqual([
    { actor, action: 'connect' },
    { actor, action: 'pause' },
  ])
})

it('shows hostile text as text', async () => {
  const name = `"><script>document.title='owned'</script><img src=x onerror=alert(1)>&amp;`
  const portal = await stage.newPortal(name)
  const page = await stage.openAsAdmin(portal, { javaScriptEnabled: true })
  expect(await textOf(page.locator('.brand'))).toBe(name)
  expect(await page.title()).toBe(`Integrations · ${name}`)
  expect(await page.locator('script, img').count()).toBe(0)
})

it('works by keyboard alone, and says first what was done', async () => {
  const page = await stage.openAsAdmin(await stage.newPortal())
  await page.getByRole('button', { name: 'Sign out' }).focus()
  await page.keyboard.press('Tab')
  await page.keyboard.type(stage.knownKey())
  await page.keyboard.press('Tab') // the region
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('Tab') // Detailed Event Tracking
  await page.keyboard.press('Space')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  const said = page.getByRole('status')
  expect(await textOf(said)).toContain('Saved.')
  expect(await page.locator('[role=status]:focus').count()).toBe(1)
  expect(await page.getByLabel('European Union').isChecked()).toBe(true)
  expect(await page.getByLabel('Also send each answer').isChecked()).toBe(true)
})

it.each(['light', 'dark'] as const)('fits a phone, %s', async (colorScheme) => {
  const portal = await stage.newPortal(
    'The Royal Northern Conservatoire of Postgraduate Veterinary Dermatology',
  )
  const page = await stage.openAsAdmin(portal, { colorScheme, viewport: { width: 360, height: 740 } })
  await connect(page, stage.knownKey())
  await page.getByText('Replace key').click()
  const overflow = () => page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth')
  expect(await overflow()).toBeLessThanOrEqual(0)
  await keepScreenshot(page, `integrations-phone-${colorScheme}`)
  await press(page, 'link', 'Disconnect')
  expect(await overflow()).toBeLessThanOrEqual(0)
})
