import { type Context, Hono } from 'hono'
import { type Source, SourceError } from 'synap-outbox'
import type { PortalContext } from '../context'
import { readIntegration } from '../services/read-integration'
import { type IntegrationSettings, type SaveRefusal, saveIntegration } from '../services/save-integration'
import { type Notice, setNotice, takeNotice } from './flash'
import { adminsOnly, type InDashboard, inSession } from './guards'
import { type Refused, readSettings, seenMark } from './integrations-form'
import { disconnectPage, integrationsPage } from './integrations-page'
import { INTEGRATIONS } from './layout'
import { methodNotAllowed } from './method-not-allowed'
import { refusalPage } from './refusal-page'

type Ctx = Context<InDashboard>

/** The Integrations page. Which portal's it is, the session says: no request can name another one. */
export function integrationsRoutes(context: PortalContext): Hono<InDashboard> {
  const { sources } = context.outbox
  const routes = new Hono<InDashboard>()
  routes.use(inSession(context), adminsOnly)

  const portalId = (c: Ctx) => c.get('visitor').portal.id
  const by = (c: Ctx) => ({ actor: c.get('visitor').user.email, reason: 'on the portal’s Integrations page' })
  const active = (c: Ctx) => sources.ofPortal(portalId(c))

  const page = async (c: Ctx, refused?: Refused) => {
    const integration = await readIntegration(context, portalId(c))
    const state = { integration, notice: refused ? undefined : takeNotice(c), refused, now: new Date() }
    return c.html(integrationsPage(c.get('visitor'), state), refused ? 422 : 200)
  }
  const refuse = (c: Ctx, refusal: SaveRefusal, settings?: IntegrationSettings) =>
    page(c, { refusal, settings })
  const done = (c: Ctx, notice: Notice) => {
    setNotice(c, notice)
    return c.redirect(INTEGRATIONS, 303)
  }
  /** Does what a button says with the source that the page has shown, unless somebody has changed it since. */
  const change = async (c: Ctx, act: (source: Source) => Promise<unknown>, notice: Notice) => {
    const source = await active(c)
    if (!source || c.get('form').seen !== seenMark(source)) return refuse(c, 'changed-meanwhile')
    await act(source)
    return done(c, notice)
  }

  routes.get('/', (c) => page(c))

  routes.post('/', async (c) => {
    const form = c.get('form')
    const settings = readSettings(form)
    if (!settings) return refusalPage(c, 'foreign-form', c.get('visitor'))
    const source = await active(c)
    if (form.seen !== seenMark(source)) return refuse(c, 'changed-meanwhile')
    const outcome = await saveIntegration(context, portalId(c), source, settings, by(c))
    if ('refused' in outcome) return refuse(c, outcome.refused, settings)
    const verification = 'verification' in outcome ? outcome.verification : undefined
    return done(c, { done: outcome.saved, verification })
  })

  routes.post('/pause', (c) =>
    change(c, ({ sourceId }) => sources.pause(sourceId, by(c)), { done: 'paused' }),
  )
  routes.post('/resume', (c) =>
    change(c, ({ sourceId }) => sources.resume(sourceId, by(c)), { done: 'resumed' }),
  )

  routes.get('/disconnect', async (c) => {
    const { source, state } = await readIntegration(context, portalId(c))
    if (!source) return c.redirect(INTEGRATIONS, 303)
    return c.html(disconnectPage(c.get('visitor'), source, state?.pending ?? 0))
  })
  routes.post('/disconnect', (c) =>
    change(c, ({ sourceId }) => sources.disable(sourceId, by(c)), { done: 'disconnected' }),
  )

  routes.post('/reconnect', async (c) => {
    const { earlier } = await readIntegration(context, portalId(c))
    const source = earlier.find(({ sourceId }) => sourceId === c.get('form').sourceId)
    if (!source) return refuse(c, 'changed-meanwhile')
    try {
      await sources.resume(source.sourceId, by(c))
    } catch (error) {
      if (error instanceof SourceError && error.problem === 'connected-already')
        return refuse(c, 'changed-meanwhile')
      throw error
    }
    return done(c, { done: 'reconnected' })
  })

  routes.all('/', methodNotAllowed('GET, POST'))
  routes.all('/disconnect', methodNotAllowed('GET, POST'))
  for (const action of ['/pause', '/resume', '/reconnect']) routes.all(action, methodNotAllowed('POST'))
  return routes
}
