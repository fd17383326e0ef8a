import type { Context, MiddlewareHandler } from 'hono'
import { Portal, PortalUser } from '../../../entities/portal'
import type { Actor, PortalContext } from '../context'
import { ForbiddenError, UnauthenticatedError } from '../errors'
import { authenticateAnywhere } from '../services/authenticate'
import { requireAdmin } from '../services/roles'
import { formTokenOf, isFormTokenOf, readSessionCookie } from './session-cookie'

/** What a page knows of who looks at it. */
export interface Visitor {
  readonly actor: Actor
  readonly user: PortalUser
  readonly portal: Portal
  /** To be carried by every form: see `formTokenOf`. */
  readonly formToken: string
}

export interface InDashboard {
  Variables: { visitor: Visitor; form: Readonly<Record<string, string>> }
}

/**
 * No script, no foreign content, no frame, no copy in any cache. `same-origin` rather than `no-referrer`: with that,
 * browsers send `Origin: null` with our own forms.
 */
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'Cache-Control': 'no-store',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
}

export const protectiveHeaders: MiddlewareHandler = async (c, next) => {
  await next()
  for (const [name, value] of Object.entries(HEADERS)) if (!c.res.headers.has(name)) c.header(name, value)
}

/** Reads a form, and lets through only what our own pages have sent. Throws ForbiddenError `foreign-form`. */
export const ownForms: MiddlewareHandler<InDashboard> = async (c, next) => {
  if (c.req.method !== 'GET' && c.req.method !== 'HEAD') {
    if (!comesFromOurPages(c)) throw new ForbiddenError('foreign-form', 'The form came from another site.')
    c.set('form', await readForm(c))
  }
  await next()
}

/** Lets only requests with a session through; a form has to carry that session's token. */
export function inSession(context: PortalContext): MiddlewareHandler<InDashboard> {
  return async (c, next) => {
    const token = readSessionCookie(c)
    if (token === undefined) throw new UnauthenticatedError('token-missing', 'Sign in first.')
    const form = c.get('form')
    if (form && !isFormTokenOf(token, form.formToken ?? ''))
      throw new ForbiddenError('foreign-form', 'The form is not of this session.')
    const actor = await authenticateAnywhere(context, token)
    const { manager } = context.dataSource
    const [user, portal] = await Promise.all([
      manager.findOneByOrFail(PortalUser, { id: actor.userId }),
      manager.findOneByOrFail(Portal, { id: actor.portalId }),
    ])
    c.set('visitor', { actor, user, portal, formToken: formTokenOf(token) })
    await next()
  }
}

export const adminsOnly: MiddlewareHandler<InDashboard> = async (c, next) => {
  requireAdmin(c.get('visitor').actor)
  await next()
}

/** By what browsers say, and no page can forge. Those that do not know `Sec-Fetch-Site` send `Origin` with a form. */
function comesFromOurPages(c: Context): boolean {
  const site = c.req.header('Sec-Fetch-Site')
  if (site !== undefined) return site === 'same-origin'
  const origin = c.req.header('Origin') ?? ''
  // Without the scheme: before us, a proxy may speak https for us.
  return URL.canParse(origin) && new URL(origin).host === new URL(c.req.url).host
}

/** The fields of a form; of a name that comes twice, the last. */
async function readForm(c: Context): Promise<Record<string, string>> {
  const type = c.req.header('Content-Type') ?? ''
  if (!/^application\/x-www-form-urlencoded\b/i.test(type)) return {}
  return Object.fromEntries(new URLSearchParams(await c.req.text()))
}
