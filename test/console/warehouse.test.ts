import type { Browser, Page } from 'playwright-core'
import { createWarehouseScene, type WarehousePortal, type WarehouseScene } from '../reconcile/warehouse-scene'
import { startBrowser } from '../support/browser'
import { type ConsoleWorld, createConsoleWorld } from './console-world'
import { look, textOf, textsOf } from './look'

let browser: Browser
let stage: WarehouseScene
let world: ConsoleWorld
let portal: WarehousePortal
let page: Page

beforeAll(async () => {
  browser = await startBrowser()
}, 60_000)
afterAll(() => browser.close())
beforeEach(async () => {
  stage = await createWarehouseScene()
  const outbox = stage.outbox()
  portal = await stage.connect(outbox, { canaryMinutes: 5 })
  world = await createConsoleWorld({}, { scene: stage.scene, outbox, portal, end: stage.end })
  page = await visitorOf('olga')
})
afterEach(async () => {
  await page.context().close()
  await world.end()
})

async function visitorOf(user: string): Promise<Page> {
  const context = await browser.newContext({ extraHTTPHeaders: { 'x-user': user } })
  return context.newPage()
}
const open = (path = '/warehouse', by = page) =>
  by.goto(`${world.url}/outbox/sources/${portal.source.sourceId}${path}`)
const heading = () => textOf(page.locator('h1'))
const say = () => textOf(page.locator('.say').first())
const tile = (name: string) => textOf(page.locator('.tiles > div', { hasText: name }).locator('dd'))
const statuses = () => world.scene.rows(`SELECT message_id AS id, status FROM outbox_message ORDER BY seq`)

/** Delivered that long ago, and in the warehouse, but for those that are named. */
async function delivered(attempts: string[], hoursAgo: number, gone: string[] = []): Promise<string[]> {
  const ids = await stage.send(world.outbox, portal, attempts)
  await stage.segment.loadWarehouse()
  const lost = ids.filter((_, i) => gone.includes(attempts[i] as string))
  for (const table of ['tracks', 'began_test'])
    await stage.warehouseRows(`DELETE FROM ${portal.schema}.${table} WHERE id = ANY ($1)`, [lost])
  await world.scene.rows(
    `UPDATE outbox_batch SET created_at = created_at - $2 * interval '1 hour', settled_at = settled_at - $2 * interval '1 hour',
            first_ambiguous_at = first_ambiguous_at - $2 * interval '1 hour' WHERE message_ids && $1::uuid[]`,
    [ids, hoursAgo],
  )
  return ids
}

async function compare(): Promise<string> {
  await open()
  await page.getByRole('button', { name: 'Compare' }).click()
  const done = page.getByText(/^Done: /)
  await done.waitFor()
  return textOf(done)
}

it('compares, tells what is missing and why, and sends again what cannot be doubled, audited', async () => {
  await delivered(['a', 'b'], 3)
  await open()
  expect([await heading(), await say()]).toEqual([
    `The warehouse of ${portal.portalId}`,
    'It was never compared.',
  ])
  const [old] = await delivered(['old'], 30, ['old'])
  const [, young] = await delivered(['c', 'd'], 3, ['d'])

  expect(await compare()).toBe('Done: 2 messages missing.')
  expect([await tile('Confirmed'), await tile('Missing')]).toEqual([
    '3found there',
    '2delivered, and not there',
  ])
  expect(await textOf(page.locator('main'))).toContain('What to do:')
  expect(await page.getByRole('link', { name: `${young?.slice(0, 8)}…` }).count()).toBe(1)
  expect(await textsOf(page.locator('table').first().locator('tbody th'))).toContain('Began Test')
  await look(page, 'comparison')
  expect(await textsOf(page.locator('.choice strong'))).toEqual([
    'Send again what cannot be doubled: 1 message',
    'Send again all that is missing: 2 messages',
  ])

  await page.getByRole('radio', { name: /what cannot be doubled/ }).check()
  await page.getByLabel('Reason, for the audit trail').fill('INC-42: the loads had stopped')
  await page.getByRole('button', { name: 'Do it' }).click()
  await page.getByText('Done: 1 message queued to be sent again.').waitFor()
  expect(await statuses()).toEqual(
    expect.arrayContaining([
      { id: young, status: 'pending' },
      { id: old, status: 'delivered' },
    ]),
  )
  expect(await world.scene.rows('SELECT actor, action, reason, messages FROM outbox_audit')).toEqual([
    { actor: 'olga', action: 'send again', reason: 'INC-42: the loads had stopped', messages: 1 },
  ])

  await page.getByRole('link', { name: 'The warehouse' }).click()
  expect(await say()).toMatch(/^2 delivered messages were not in the warehouse when they were compared at/)
  expect(await textsOf(page.locator('tbody th'))).toEqual([
    'Send again what cannot be doubled',
    'Compare with the warehouse',
  ])
  await look(page, 'warehouse-missing')
  await page.goto(`${world.url}/outbox/sources`)
  expect(await textsOf(page.locator('td[data-label=Warehouse]'))).toEqual(['2 missing'])
  await look(page, 'sources-warehouse')
})

it('sends again what may be doubled only where that is chosen', async () => {
  const [old] = await delivered(['old'], 30, ['old'])
  await delivered(['a'], 29)
  await compare()
  expect(await textsOf(page.locator('.choice strong'))).toEqual(['Send again all that is missing: 1 message'])
  const send = (choice: string, why = 'INC-42') =>
    world.post(`/sources/${portal.source.sourceId}/warehouse/send-again`, { choice, why })
  for (const answer of [await send(''), await send('everything'), await send('all', ' ')]) {
    expect(answer.status).toBe(400)
  }
  expect(await statuses()).toContainEqual({ id: old, status: 'delivered' })
  await page.getByRole('radio').check()
  await page.getByLabel('Reason, for the audit trail').fill('INC-42')
  await page.getByRole('button', { name: 'Do it' }).click()
  await page.getByText('Done: 1 message queued to be sent again.').waitFor()
  expect(await statuses()).toContainEqual({ id: old, status: 'pending' })
})

it('says that all is well, and is only looked at by those who may only look', async () => {
  await delivered(['a', 'b'], 3)
  expect(await compare()).toBe('Done: the outbox and the warehouse agree.')
  await look(page, 'comparison-agrees')
  const report = new URL(page.url()).pathname
  const reader = await visitorOf('rita')
  await reader.goto(`${world.url}${report}`)
  expect(await textOf(reader.locator('main'))).toContain('the outbox and the warehouse agree')
  await open('/warehouse', reader)
  expect(await reader.locator('form[method=post]').count()).toBe(0)
  expect(await textOf(reader.locator('.say'))).toBe(
    'When it was last compared, nothing that should have been there was missing.',
  )
  await look(reader, 'warehouse-reader')
  await reader.context().close()
})

it('tells of a message that it was found, and when', async () => {
  const [messageId] = await delivered(['a'], 3)
  await compare()
  await page.goto(`${world.url}/outbox/messages/${messageId}`)
  expect(await say()).toMatch(/, and it was found in the portal’s warehouse at .* UTC\. Nothing: it is where/)
  expect((await textsOf(page.locator('.timeline li'))).at(-1)).toContain(
    'Found in the warehouse, with its whole batch.',
  )
})

it('shows a lost canary, here and wherever the source is', async () => {
  stage.segment.removeWriteKey(portal.writeKey)
  await world.outbox.checkCanaries()
  await world.outbox.drain()
  await world.scene.rows(`UPDATE outbox_message SET settled_at = settled_at - interval '3 hours'`)
  await stage.outbox().checkCanaries()
  await open()
  expect(await say()).toMatch(/^The canary that Segment accepted 3 h ago did not arrive\./)
  await look(page, 'warehouse-canary')
  await open('')
  expect([await heading(), await say()]).toEqual([
    `${portal.portalId} refused`,
    expect.stringMatching(/^The canary .* did not reach the warehouse/),
  ])
  await page.goto(`${world.url}/outbox/sources?health=refused`)
  expect(await textsOf(page.locator('td[data-label=Warehouse]'))).toEqual(['canary lost'])
})

it('says why a warehouse cannot be read, without its password or where it is stored', async () => {
  await delivered(['a'], 3)
  const database = new URL(stage.warehouse.url).pathname.slice(1)
  await stage.warehouseRows(`ALTER DATABASE ${database} CONNECTION LIMIT 0`)
  expect(await compare()).toBe('Done: it ended early.')
  const text = await textOf(page.locator('main'))
  expect(text).toContain('cannot be read')
  expect(text).not.toContain('secret ')
  expect(await page.locator('.tiles, [type=radio]').count()).toBe(0)
  await look(page, 'comparison-unreadable')
})

it('says what to do where no warehouse is known, and compares with none', async () => {
  await world.outbox.warehouses.disconnect(portal.source.sourceId)
  await open()
  expect(await say()).toMatch(/^No warehouse is known for this source\./)
  expect(await textOf(page.locator('pre'))).toContain(`warehouses connect ${portal.source.sourceId}`)
  await look(page, 'warehouse-none')
  const { status, text } = await world.post(`/sources/${portal.source.sourceId}/warehouse/compare`, {})
  expect([status, text.includes('No warehouse is known for this source.')]).toEqual([400, true])
})

it.each([
  ['a period that ends before it begins', { from: '2026-11-02T00:00', to: '2026-11-01T00:00' }],
  ['no time', { from: 'yesterday' }],
])('refuses %s', async (_, fields) => {
  expect((await world.post(`/sources/${portal.source.sourceId}/warehouse/compare`, fields)).status).toBe(400)
})
