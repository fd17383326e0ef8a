import type { Locator, Page } from 'playwright-core'
import { keepScreenshot } from '../support/browser'

const PHONE = { width: 390, height: 844 }
const DESK = { width: 1280, height: 800 }

/** Keeps pictures of a page on a phone and on a desk, light and dark, where pictures are wanted. */
export async function look(page: Page, name: string): Promise<void> {
  if (!process.env.SCREENSHOTS) return
  for (const [size, viewport] of Object.entries({ phone: PHONE, desk: DESK })) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize(viewport)
      await page.emulateMedia({ colorScheme })
      await keepScreenshot(page, `console-${name}-${size}-${colorScheme}`)
    }
  }
  await page.emulateMedia({ colorScheme: 'light' })
}

/** The text of an element, its white space as a reader sees it. */
export async function textOf(element: Locator): Promise<string> {
  return squeeze((await element.textContent()) ?? '')
}

export async function textsOf(elements: Locator): Promise<string[]> {
  return (await elements.allTextContents()).map(squeeze)
}

function squeeze(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
