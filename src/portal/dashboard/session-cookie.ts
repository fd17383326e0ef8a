import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'

const NAME = 'synap_session'

/** Keeps the session's token in the browser until that is closed, where no script and no other site can read it. */
export function setSessionCookie(c: Context, token: string): void {
  setCookie(c, NAME, token, { ...attributes(c), httpOnly: true, sameSite: 'Lax' })
}

export function readSessionCookie(c: Context): string | undefined {
  return isHttps(c) ? getCookie(c, NAME, 'host') : getCookie(c, NAME)
}

export function clearSessionCookie(c: Context): void {
  deleteCookie(c, NAME, attributes(c))
}

/**
 * What a form of this session carries to show that it is ours. Derived from the session's token, which no other site
 * can read, so nothing more has to be stored, and it ends with the session.
 */
export function formTokenOf(sessionToken: string): string {
  return createHmac('sha256', sessionToken).update('form of the portal dashboard').digest('base64url')
}

/** Whether a form carries this session's token. Takes the same time for every token of the right length. */
export function isFormTokenOf(sessionToken: string, given: string): boolean {
  const [expected, actual] = [Buffer.from(formTokenOf(sessionToken)), Buffer.from(given)]
  return expected.length === actual.length && timingSafeEqual(expected, actual)
}

/** With `__Host-`, browsers take the cookie from this very host only, and over https only. */
function attributes(c: Context) {
  return isHttps(c) ? ({ prefix: 'host', secure: true, path: '/' } as const) : ({ path: '/' } as const)
}

/** As the browser sees it: before us, a proxy may speak https for us. A forged header only harms its sender. */
function isHttps(c: Context): boolean {
  return new URL(c.req.url).protocol === 'https:' || c.req.header('X-Forwarded-Proto') === 'https'
}
