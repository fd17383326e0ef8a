import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import type { BrowserContextOptions, Locator, Page } from 'playwright-core'
import { type SeededPortal, seedPortal } from '../../src/portal/seed'
import { startBrowser } from '../support/browser'
import { random } from '../support/scene'
import { INTEGRATIONS, SIGN_IN } from './dashboard-visitor'
import { at, createPortalWorld, type PortalWorld } from './portal-world'

/** A portal world behind a real server, and a real browser before it. */
export interface IntegrationsStage {
  readonly world: PortalWorld
  /** Whatever a page tried that its policy forbids. */
  readonly forbidden: readonly string[]
  /** A portal that was never connected. */
  newPortal(name?: string, slug?: string): Promise<SeededPortal>
  /** A write key that the local Segment knows. */
  knownKey(region?: 'us' | 'eu'): string
  /** The admin of the portal, signed in, in a browser context of their own that runs no script. */
  openAsAdmin(portal: SeededPortal, options?: BrowserContextOptions): Promise<Page>
  /** A student of the portal sits the test that is marked by the portal alone, through the JSON API. */
  sitTest(portal: SeededPortal, student?: number): Promise<void>
  /** Makes what has just happened to the portal's source so long ago. */
  backdate(portal: SeededPortal, ago: { verified: string; delivered: string; failed?: string }): Promise<void>
  /** Between tests. */
  clear(): Promise<void>
  end(): Promise<void>
}

/** Call in `beforeAll` with a long timeout: the browser is unpacked first. */
export async function createIntegrationsStage(): Promise<IntegrationsStage> {
  const world = await createPortalWorld()
  const server = serve({ fetch: world.app.fetch, port: 0, hostname: '127.0.0.1' })
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const browser = await startBrowser()
  const forbidden: string[] = []
  return {
    world,
    forbidden,
    newPortal: (name = 'Gamma College', slug = `gamma-${random()}`) =>
      seedPortal(world.scene.dataSource, { slug, name, students: 2, passwordCost: 4 }),
    knownKey(region = 'us') {
      const writeKey = random(16)
      world.scene.segment.addWriteKey(writeKey, { region })
      return writeKey
    },
    async openAsAdmin(portal, options = {}) {
      const context = await browser.newContext({ javaScriptEnabled: false, ...options })
      const page = await context.newPage()
      page.setDefaultTimeout(10_000)
      page.on('console', (message) => {
        if (message.text().includes('Content Security Policy')) forbidden.push(message.text())
      })
      await page.goto(`${origin}${INTEGRATIONS}`)
      expect(new URL(page.url()).pathname).toBe(SIGN_IN)
      await page.getByLabel('Portal').fill(portal.slug)
      await page.getByLabel('Email address').fill(portal.admin.email)
      await page.getByLabel('Password').fill(portal.password)
      await press(page, 'button', 'Sign in')
      expect(page.url()).toBe(`${origin}${INTEGRATIONS}`)
      return page
    },
    async sitTest(portal, student = 0) {
      const token = await world.logIn(at(portal.students, student).email, portal)
      const post = async (path: string, body?: unknown) => {
        const answer = await world.call('POST', path, { token, portal, body })
        expect([path, Math.floor(answer.status / 100)]).toEqual([path, 2])
        return answer.body
      }
      const { id, questions } = portal.autoMarkedTest
      const { attempt } = await post(`/tests/${id}/attempts`)
      for (const { id: questionId } of questions)
        await post(`/attempts/${attempt.id}/answers`, { questionId, option: 0 })
      await post(`/attempts/${attempt.id}/submit`)
    },
    async backdate({ portalId }, { verified, delivered, failed }) {
      await world.scene.rows(
        `WITH source AS (
           UPDATE segment_source SET verified_at = now() - $2::interval WHERE portal_id = $1 RETURNING source_id
         )
         UPDATE source_delivery d SET last_delivered_at = now() - $3::interval, last_failed_at = now() - $4::interval
         FROM source WHERE source.source_id = d.source_id`,
        [portalId, verified, delivered, failed ?? null],
      )
    },
    async clear() {
      for (const context of browser.contexts()) await context.close()
      await world.scene.segment.clearFaults()
    },
    async end() {
      await browser.close()
      if ('closeAllConnections' in server) server.closeAllConnections()
      server.close()
      await world.end()
    },
  }
}

/** Presses a button or follows a link, and is there when the next page is. */
export async function press(page: Page, role: 'button' | 'link', name: string): Promise<void> {
  await page.getByRole(role, { name }).click()
  await page.waitForLoadState()
}

export function save(page: Page): Promise<void> {
  return press(page, 'button', 'Save')
}

export async function connect(page: Page, writeKey: string): Promise<void> {
  await page.getByLabel('Segment Write Key').fill(writeKey)
  await save(page)
}

/** Fills a new key in, without saving it. */
export async function fillNewKey(page: Page, writeKey: string): Promise<void> {
  await page.getByText('Replace key').click()
  await page.getByLabel('New Segment Write Key').fill(writeKey)
}

/** The text of one part of the page as a person sees it, on one line. */
export async function textOf(part: Locator): Promise<string> {
  // biome-ignore lint/performance/useDomNodeTextContent: what is not shown is not part of it
  return (await part.innerText()).replaceAll(/\s+/g, ' ').trim()
}

/** What the page says that the last form did. */
export function notice(page: Page): Promise<string> {
  return textOf(page.getByRole('status'))
}

/** What the page says of how events get to Segment. */
export function status(page: Page): Promise<string> {
  return textOf(page.getByRole('region', { name: 'Status' }))
}

/** The write key is neither on the page, nor in its address, nor in a field of it. */
export async function expectNowhere(page: Page, writeKey: string): Promise<void> {
  const fields = await Promise.all((await page.locator('input').all()).map((field) => field.inputValue()))
  expect([page.url(), await page.content(), ...fields].join('\n')).not.toContain(writeKey)
}
