import type { Browser, Page } from 'playwright-core'
import { startBrowser } from '../support/browser'
import { type ConsoleWorld, createConsoleWorld } from './console-world'
import { look, textOf } from './look'

/** Breaks out of text, attributes, `<pre>`, `<textarea>` and `<title>`, and turns the direction of what follows. */
const HOSTILE = `<script>window.hacked=1</script>"><img src=x onerror=window.hacked=1>' autofocus onfocus=window.hacked=1 x='</pre></textarea></title><svg onload=window.hacked=1></svg><a href="javascript:window.hacked=1">{{7*7}}</a>\u202egnp.exe\u0007`
const JAVASCRIPT = 'javascript:window.hacked=1'

let browser: Browser
let world: ConsoleWorld
let page: Page
let addresses: string[]
const trouble: string[] = []

beforeAll(async () => {
  browser = await startBrowser()
  world = await createConsoleWorld()
  const { sourceId } = world.portal.source
  await world.uncertain()
  await world.dead()
  // Whatever wrote these rows: a page shows them as they are.
  await world.scene.rows(
    `UPDATE outbox_message SET event = $1, portal_id = $1, user_id = $1, reason = $1, schema_hash = $1, trace_parent = $1,
            body = jsonb_build_object($1::text, $1::text, 'url', $2::text, 'long', repeat('x', 30000))`,
    [HOSTILE, JAVASCRIPT],
  )
  await world.scene.rows(
    `UPDATE outbox_batch SET attempts = jsonb_build_array(jsonb_build_object('at', now(), 'ms', 5, 'verdict', $1::text, 'error', $1::text))`,
    [HOSTILE],
  )
  await world.scene.rows(`UPDATE segment_source SET portal_id = $1, write_key_last_four = '"><b'`, [HOSTILE])
  await world.scene.rows(
    `UPDATE source_delivery SET last_error = $1, lease_owner = $1, failures = 3, last_failed_at = now(),
            resume_at = now() + interval '5 minutes', lease_expires_at = now() + interval '5 minutes'`,
    [HOSTILE],
  )
  await world.scene.rows(
    `INSERT INTO outbox_audit (messages, actor, action, reason, selection)
     VALUES (1, $1, 'discard', $1, jsonb_build_object($1::text, $1::text))`,
    [HOSTILE],
  )
  await world.scene.rows(
    `INSERT INTO segment_warehouse (source_id, schema_name, url_ciphertext, url_secret_id, lag_hours, missing)
     VALUES ($1, $2, '', 'k1', 48, 3)`,
    [sourceId, HOSTILE],
  )
  const { headers } = await world.post(`/sources/${sourceId}/warehouse/compare`, {})
  const compared = (headers.get('location') as string).replace('/outbox', '')
  const rows = await world.scene.rows<{ id: string }>('SELECT message_id AS id FROM outbox_message')
  const query = new URLSearchParams({
    portalId: HOSTILE,
    event: HOSTILE,
    reason: HOSTILE,
    userId: JAVASCRIPT,
  })
  const filter = new URLSearchParams({ portalId: HOSTILE, who: HOSTILE, event: HOSTILE })
  addresses = [
    '',
    '/messages',
    `/messages?${filter}`,
    `/messages?${new URLSearchParams({ status: HOSTILE })}`,
    ...rows.map(({ id }) => `/messages/${id}`),
    `/messages/${encodeURIComponent(HOSTILE)}`,
    '/failures',
    `/failures?${new URLSearchParams({ portalId: HOSTILE })}`,
    `/review?${query}`,
    '/sources',
    `/sources?${new URLSearchParams({ portalId: HOSTILE })}`,
    `/sources/${sourceId}`,
    `/sources/${sourceId}/warehouse`,
    compared,
    '/audit',
    '/doctor',
    `/${encodeURIComponent(HOSTILE)}`,
  ]
  const context = await browser.newContext({ extraHTTPHeaders: { 'x-user': 'olga' } })
  page = await context.newPage()
  page.on('dialog', async (dialog) => {
    trouble.push(`dialog: ${dialog.message()}`)
    await dialog.dismiss()
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(`${world.url}/outbox`) && !request.url().startsWith('data:'))
      trouble.push(`request: ${request.url()}`)
  })
  page.on('console', (message) => {
    if (!message.text().startsWith('Failed to load resource')) trouble.push(`console: ${message.text()}`)
  })
}, 60_000)
afterAll(async () => {
  await browser.close()
  await world.end()
})

/** What a payload that is not text would have made of the page. Text, since it runs in the browser. */
const INTRUDERS = `(() => {
  const made = 'script, img, iframe, object, svg:not(.plot svg), main b, [onerror], [onload], [onfocus], [autofocus], [style]'
  const links = [...document.links].filter((link) => link.protocol !== 'http:')
  const elements = [...document.querySelectorAll(made), ...links].map((element) => element.outerHTML)
  return 'hacked' in window ? ['it ran', ...elements] : elements
})()`
const intruders = () => page.evaluate<string[]>(INTRUDERS)
const scrollsSideways = () =>
  page.evaluate<boolean>('document.documentElement.scrollWidth > window.innerWidth')

it('is text on every page, on a phone too, and nothing of it runs, loads, or turns the page around', async () => {
  let shown = 0
  for (const address of addresses) {
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 800 })
      const answer = await page.goto(`${world.url}/outbox${address}`)
      expect(answer?.status()).toBeLessThan(500)
      expect(await intruders()).toEqual([])
      const text = await textOf(page.locator('main'))
      expect([address, text.includes('\u202e') || text.includes('\u0007')]).toEqual([address, false])
      if (text.includes('U+202E') && text.includes('<script>')) shown++
      expect([address, width, await scrollsSideways()]).toEqual([address, width, false])
    }
  }
  expect(trouble).toEqual([])
  expect(shown).toBeGreaterThan(18)
  await page.goto(`${world.url}/outbox/failures`)
  await look(page, 'hostile')
}, 120_000)

it('stays what it is on its way through a form: the group that was reviewed is the group that is discarded', async () => {
  await page.goto(`${world.url}/outbox/failures`)
  await page.getByRole('link', { name: 'This one …' }).first().click()
  await page.getByRole('radio', { name: /Discard: 1 message/ }).check()
  await page.getByLabel('Reason, for the audit trail').fill(HOSTILE.replaceAll('\u0007', ''))
  await page.getByRole('button', { name: 'Do it' }).click()
  await page.getByText('Done: 1 message discarded.').waitFor()
  expect(await intruders()).toEqual([])
  const [entry] = await world.scene.rows<{ selection: { reason: string } }>(
    'SELECT selection FROM outbox_audit ORDER BY audit_id DESC LIMIT 1',
  )
  expect(entry?.selection.reason).toBe(HOSTILE)
})
