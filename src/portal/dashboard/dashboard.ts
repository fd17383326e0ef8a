import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { PortalContext } from '../context'
import { ForbiddenError, UnauthenticatedError } from '../errors'
import { setNotice } from './flash'
import { type InDashboard, ownForms, protectiveHeaders } from './guards'
import { integrationsRoutes } from './integrations-routes'
import { BASE } from './layout'
import { methodNotAllowed } from './method-not-allowed'
import { refusalPage } from './refusal-page'
import { clearSessionCookie } from './session-cookie'
import { signInRoutes } from './sign-in'
import { stylesheet } from './stylesheet'

/** Bytes of the largest form: the Integrations page's, with the longest write key, has less than 1 KB. */
const MAX_FORM_BYTES = 8 * 1024

/** The portal's pages for people, to be mounted at `/portal-dashboard`. They need no JavaScript. */
export function dashboard(context: PortalContext, onError: (error: unknown) => void): Hono<InDashboard> {
  const pages = new Hono<InDashboard>()
  pages.use(protectiveHeaders)
  pages.use(bodyLimit({ maxSize: MAX_FORM_BYTES, onError: (c) => refusalPage(c, 413) }))
  pages.use(ownForms)
  pages.get('/style.css', (c) => {
    c.header('Cache-Control', 'max-age=300')
    return c.body(stylesheet, 200, { 'Content-Type': 'text/css; charset=utf-8' })
  })
  pages.all('/style.css', methodNotAllowed('GET'))
  pages.route('/', signInRoutes(context))
  pages.route('/settings/integrations', integrationsRoutes(context))
  pages.all('*', (c) => refusalPage(c, 404))

  pages.onError((error, c) => {
    const visitor = c.get('visitor')
    if (error instanceof UnauthenticatedError) {
      if (error.code === 'session-invalid' || c.req.method !== 'GET') setNotice(c, { done: 'session-over' })
      clearSessionCookie(c)
      return c.redirect(`${BASE}/sign-in`, 303)
    }
    if (error instanceof ForbiddenError)
      return refusalPage(c, error.code === 'foreign-form' ? 'foreign-form' : 403, visitor)
    onError(error)
    return refusalPage(c, 500, visitor)
  })
  return pages
}
