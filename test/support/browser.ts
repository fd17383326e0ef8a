import { execFile } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { type Browser, chromium } from 'playwright-core'

/** Where looking at a page as a person would is wanted: `SCREENSHOTS=folder npm test -- test/…`. */
const SCREENSHOTS = process.env.SCREENSHOTS

/**
 * A real browser, from an npm package. It reaches loopback only: a page that asks for anything else fails its test.
 * Call in `beforeAll` with a long timeout (it is unpacked first), and `close()` in `afterAll`.
 */
export async function startBrowser(): Promise<Browser> {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'synap-outbox-browser-'))
  const { stdout } = await promisify(execFile)(process.execPath, [path.join(__dirname, 'chromium.mjs')], {
    env: { ...process.env, TMPDIR: home },
  })
  const browser = await chromium.launch({
    executablePath: stdout,
    // Not the package's own arguments: with them, one process serves all pages and web security is off.
    args: [
      '--no-sandbox', // which does not exist for root, as in many containers
      '--disable-background-networking',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    ],
    env: { ...process.env, HOME: home, TMPDIR: home } as Record<string, string>,
  })
  const close = browser.close.bind(browser)
  browser.close = async (options) => {
    await close(options)
    fs.rmSync(home, { recursive: true, force: true })
  }
  return browser
}

/** Keeps a picture of the page where pictures are wanted. */
export async function keepScreenshot(
  page: { screenshot(options: { path: string; fullPage: boolean }): Promise<unknown> },
  name: string,
): Promise<void> {
  if (SCREENSHOTS) await page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`), fullPage: true })
}
