import { Hono } from 'hono'
import { html } from 'hono/html'
import { z } from 'zod'
import { Portal } from '../../../entities/portal'
import type { PortalContext } from '../context'
import { UnauthenticatedError } from '../errors'
import { text } from '../http/input'
import { logIn } from '../services/log-in'
import { logOut } from '../services/log-out'
import { type NoticeText, setNotice, takeNotice } from './flash'
import { type InDashboard, inSession } from './guards'
import { BASE, errorSummary, type Html, INTEGRATIONS, layout, noticeBox } from './layout'
import { methodNotAllowed } from './method-not-allowed'
import { clearSessionCookie, setSessionCookie } from './session-cookie'

const credentials = z.object({
  portal: text(1, 63).trim().toLowerCase(),
  email: text(1, 320).trim(),
  password: text(1, 200),
})

/** Signing in and out. After it, there is one place to go: no address is taken from the request. */
export function signInRoutes(context: PortalContext): Hono<InDashboard> {
  const routes = new Hono<InDashboard>()

  routes.get('/sign-in', (c) => {
    const filled = { portal: c.req.query('portal') ?? '', email: '' }
    return c.html(signInPage(filled, { notice: takeNotice(c) }))
  })

  routes.post('/sign-in', async (c) => {
    const form = c.get('form')
    const token = await signIn(context, form)
    if (token === undefined) {
      const filled = { portal: form.portal ?? '', email: form.email ?? '' }
      return c.html(signInPage(filled, { failed: true }), 422)
    }
    setSessionCookie(c, token)
    return c.redirect(INTEGRATIONS, 303)
  })

  routes.post('/sign-out', inSession(context), async (c) => {
    await logOut(context, c.get('visitor').actor)
    clearSessionCookie(c)
    setNotice(c, { done: 'signed-out' })
    return c.redirect(`${BASE}/sign-in`, 303)
  })

  routes.all('/sign-in', methodNotAllowed('GET, POST'))
  routes.all('/sign-out', methodNotAllowed('POST'))
  return routes
}

/** The new session's token; undefined, whatever of the three was wrong. */
async function signIn(context: PortalContext, form: unknown): Promise<string | undefined> {
  const given = credentials.safeParse(form)
  if (!given.success) return undefined
  const { portal: slug, ...emailAndPassword } = given.data
  const portal = await context.dataSource.manager.findOneBy(Portal, { slug })
  if (!portal) return undefined
  try {
    return (await logIn(context, portal, emailAndPassword)).token
  } catch (error) {
    if (error instanceof UnauthenticatedError) return undefined
    throw error
  }
}

const FAILED = 'The portal, the email address or the password is wrong.'

function signInPage(
  filled: { portal: string; email: string },
  { notice, failed = false }: { notice?: NoticeText; failed?: boolean },
): Html {
  const main = html`<div class="narrow">
<h1>Sign in to your portal</h1>
${notice && noticeBox(notice)}
${failed && errorSummary('You are not signed in', { field: 'portal', wrong: FAILED })}
<form class="card" method="post" action="${BASE}/sign-in">
<div class="field">
<label for="portal">Portal</label>
<p class="hint" id="portal-hint">Its name in addresses, such as meridian</p>
<input id="portal" name="portal" value="${filled.portal}" required maxlength="63" autocapitalize="none" spellcheck="false" autocomplete="organization" aria-describedby="portal-hint">
</div>
<div class="field">
<label for="email">Email address</label>
<input id="email" name="email" type="email" value="${filled.email}" required maxlength="320" autocomplete="username">
</div>
<div class="field">
<label for="password">Password</label>
<input id="password" name="password" type="password" required maxlength="200" autocomplete="current-password">
</div>
<button class="primary">Sign in</button>
</form>
</div>`
  return layout(failed ? 'Error: Sign in' : 'Sign in', undefined, main)
}
