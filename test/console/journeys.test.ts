import type { Browser, Page } from 'playwright-core'
import { startBrowser } from '../support/browser'
import { type ConsoleWorld, createConsoleWorld } from './console-world'
import { look, textOf, textsOf } from './look'

let browser: Browser
let world: ConsoleWorld
let page: Page

beforeAll(async () => {
  browser = await startBrowser()
}, 60_000)
afterAll(() => browser.close())
beforeEach(async () => {
  world = await createConsoleWorld()
  page = await visitorOf('olga')
})
afterEach(async () => {
  await page.context().close()
  await world.end()
})

/** A browser's page of somebody who is signed in. */
async function visitorOf(user: string): Promise<Page> {
  const context = await browser.newContext({ extraHTTPHeaders: { 'x-user': user } })
  return context.newPage()
}
const open = (path = '') => page.goto(`${world.url}/outbox${path}`)
const heading = () => textOf(page.locator('h1'))
const follow = (name: string | RegExp) => page.getByRole('link', { name }).first().click()
const accepted = () => world.scene.segment.accepted().map(({ messageId }) => messageId)

/** From a review page to the end of what it starts. */
async function doIt(choice: RegExp, reason: string): Promise<string> {
  await page.getByRole('radio', { name: choice }).check()
  await page.getByLabel('Reason, for the audit trail').fill(reason)
  await page.getByRole('button', { name: 'Do it' }).click()
  const done = page.getByText(/^Done: /)
  await done.waitFor()
  return textOf(done)
}

describe('at three in the morning', () => {
  it('follows a message from recorded to settled', async () => {
    await world.record({ userId: 'user-7' })
    const messageId = await world.record({ userId: 'user-8' })
    await open()
    await follow('Messages')
    await page.getByLabel('User or anonymous ID').fill('user-8')
    await page.getByRole('button', { name: 'Show' }).click()
    expect(await page.locator('tbody tr').count()).toBe(1)
    await follow('Began Test')
    expect(await heading()).toBe('Began Test pending')
    expect(await textOf(page.locator('.why'))).toContain('No dispatcher is running')

    world.scene.segment.fault({ kind: 'status', status: 503 }, { times: 1 })
    await world.outbox.drain()
    await world.scene.rows(`UPDATE source_delivery SET resume_at = '-infinity'`)
    await world.outbox.drain()
    await page.reload()
    expect(await heading()).toBe('Began Test delivered')
    expect(await textOf(page.locator('.why'))).toMatch(/Segment accepted it at .* with attempt 2 of batch/)
    const timeline = await textsOf(page.locator('.timeline li'))
    const happened = timeline.map((entry) => entry.replace(/^.*? UTC /, ''))
    expect(happened).toEqual([
      'It happened.',
      'Recorded, in the transaction of the business change.',
      expect.stringMatching(/^Put in batch \d+, one of 2/),
      expect.stringMatching(/^Attempt 1: .*HTTP 503, after \d+ ms/),
      expect.stringMatching(/^Attempt 2: accepted, HTTP 200, after \d+ ms/),
      'Delivered.',
    ])
    expect(accepted()).toContain(messageId)
    await look(page, 'message-delivered')
  })

  it('sends a group again: preview, reason, progress, audit trail, Segment', async () => {
    const ids = [await world.dead('user-1'), await world.dead('user-2'), await world.dead('user-3')]
    await open()
    await look(page, 'overview-trouble')
    await follow('refused, or never sendable')
    expect(await heading()).toBe('Dead and uncertain')
    await look(page, 'failures')
    await follow(/^All 3 …/)
    expect(await textOf(page.locator('tbody tr'))).toMatch(/Refused\s*3\s*Segment said no/)
    await look(page, 'review')

    // Nothing is done without a reason: the browser itself says so.
    await page.getByRole('radio', { name: /Send again what Segment refused: 3 messages/ }).check()
    await page.getByRole('button', { name: 'Do it' }).click()
    expect(await heading()).toBe('What shall become of them?')
    expect(await doIt(/Send again what Segment refused/, 'INC-42: a proxy refused them')).toBe(
      'Done: 3 messages queued to be sent again.',
    )
    await page.reload()
    expect(await textOf(page.getByText(/^Done: /))).toContain('3 messages')
    await look(page, 'operation')

    await page.locator('main').getByRole('link', { name: 'Audit trail' }).click()
    expect(await textOf(page.locator('tbody tr'))).toMatch(
      /olga\s*send again\s*3\s*INC-42: a proxy refused them/,
    )
    await look(page, 'audit')
    await world.outbox.drain()
    expect(accepted()).toEqual(ids)
    await open('/failures')
    expect(await textOf(page.locator('.say'))).toContain('Nothing is dead or uncertain')
  })

  it('resolves what is in doubt, both ways', async () => {
    const [seen, missed] = [await world.uncertain('user-1'), await world.uncertain('user-2')]
    await open(`/messages/${seen}`)
    expect(await heading()).toBe('Began Test uncertain')
    await look(page, 'message-uncertain')
    await follow('Mark delivered …')
    expect(await page.getByRole('radio', { name: /Mark those in doubt as delivered/ }).isChecked()).toBe(true)
    expect(await textsOf(page.locator('.choice'))).toEqual([
      expect.stringMatching(/Send again, those in doubt too: 1 message.*a gap is worse than a double/),
      expect.stringMatching(/Mark those in doubt as delivered: 1 message.*a double is worse than a gap/),
      expect.stringMatching(/Discard: 1 message.*a gap in the portal’s warehouse/),
    ])
    expect(await doIt(/Mark those in doubt/, 'it is in the warehouse')).toBe(
      'Done: 1 message marked delivered.',
    )
    await open(`/messages/${seen}`)
    expect(await heading()).toBe('Began Test delivered')
    expect(await textOf(page.locator('.why'))).toContain('marked delivered by olga: it is in the warehouse')

    await open(`/messages/${missed}`)
    await follow('Send again …')
    expect(await doIt(/Send again, those in doubt too/, 'it is not')).toBe(
      'Done: 1 message queued to be sent again.',
    )
    await world.outbox.drain()
    await open(`/messages/${missed}`)
    expect(await heading()).toBe('Began Test delivered')
  })

  it('pauses a source, resumes it, and retries it now', async () => {
    await world.record()
    world.scene.segment.fault({ kind: 'status', status: 503 })
    await world.outbox.drain()
    await world.scene.rows(`UPDATE source_delivery SET resume_at = now() + interval '5 minutes'`)
    await open('/sources')
    await look(page, 'sources')
    await follow('meridian')
    await look(page, 'source-failing')
    const change = async (name: string) => {
      await page.locator('summary', { hasText: name }).click()
      const form = page.locator('details[open]')
      await form.getByLabel('Reason, for the audit trail').fill(`to ${name}`)
      await form.getByRole('button', { name }).click()
      await page.waitForLoadState()
    }
    expect(await textOf(page.locator('dl.facts'))).toMatch(/next attempt in \d min/)
    await change('Retry now')
    expect(await textOf(page.locator('dl.facts'))).toMatch(/Back-off\s*none/)
    await change('Pause')
    expect(await heading()).toBe('meridian paused')
    expect(await textsOf(page.locator('summary'))).toEqual(['Resume …', 'Disable …'])
    await change('Resume')
    expect((await world.outbox.sources.ofPortal('meridian'))?.status).toBe('enabled')
    await follow('What people did to it')
    expect(await textsOf(page.locator('tbody td:nth-child(3)'))).toEqual(['resume', 'pause', 'retry now'])
  })
})

describe('somebody who may look only', () => {
  it('sees why, and no button', async () => {
    const messageId = await world.dead()
    await page.context().close()
    page = await visitorOf('rita')
    for (const path of [`/messages/${messageId}`, '/failures', `/sources/${world.portal.source.sourceId}`]) {
      await open(path)
      expect(await textOf(page.locator('.who'))).toBe('rita · may look only')
      expect(await page.locator('form[method=post], .button.danger, details').count()).toBe(0)
    }
  })
})

describe('without a mouse', () => {
  it('skips to the content, and reaches every page with a visible focus', async () => {
    await open()
    await page.keyboard.press('Tab')
    expect(await textOf(page.locator(':focus'))).toBe('Skip to the page’s content')
    expect((await page.locator(':focus').boundingBox())?.x).toBeGreaterThanOrEqual(0)
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    expect(await page.locator('main :focus').count()).toBe(1)
    await page.locator('nav a', { hasText: 'Doctor' }).focus()
    await page.keyboard.press('Enter')
    await page.waitForURL(/doctor$/)
    expect(await heading()).toBe('Doctor')
    await look(page, 'doctor')
  })
})

describe('with nothing in it', () => {
  it.each(['', '/messages', '/failures', '/audit'])('is looked at: "%s"', async (path) => {
    const answer = await open(path)
    expect(answer?.status()).toBe(200)
    await look(page, `empty${path.replace('/', '-')}`)
  })
})
