import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { defaultSettings, type PortalContext, type PortalSettings } from '../context'
import { dashboard } from '../dashboard/dashboard'
import { BASE } from '../dashboard/layout'
import { accountRoutes } from './account-routes'
import { attemptRoutes } from './attempt-routes'
import { answerError, errorBody } from './error-answer'
import { healthRoute } from './health-route'
import { learningRoutes } from './learning-routes'
import { pageViewRoutes } from './page-view-routes'
import { inPortal } from './portal-scope'

export interface PortalOptions extends Pick<PortalContext, 'dataSource' | 'outbox'> {
  /** The present moment. Default: this host's clock. */
  clock?: () => Date
  /** See `PortalSettings` for each one and its default. */
  settings?: Partial<PortalSettings>
  /** Told of every error that the portal did not foresee; the caller sees a bare 500. Default: `console.error`. */
  onError?: (error: unknown) => void
}

/** Bytes of the API's largest request body. The longest essay takes 80 KB in UTF-8. */
const MAX_BODY_BYTES = 128 * 1024

/** The portal's HTTP API and its pages, as a fetch handler: for @hono/node-server, or for `app.request` in tests. */
export function createPortalApp({ dataSource, outbox, clock, settings, onError }: PortalOptions): Hono {
  const context: PortalContext = {
    dataSource,
    outbox,
    clock: clock ?? (() => new Date()),
    settings: { ...defaultSettings, ...settings },
  }
  const report = onError ?? console.error
  const portal = inPortal(context)
    .route('/', accountRoutes(context))
    .route('/', attemptRoutes(context))
    .route('/', learningRoutes(context))
    .route('/', pageViewRoutes(context))

  const app = new Hono()
  app.route(BASE, dashboard(context, report))
  app.use(bodyLimit({ maxSize: MAX_BODY_BYTES, onError: (c) => c.json(tooLarge, 413) }))
  app.route('/health', healthRoute(context))
  app.route('/api/portals/:slug', portal)
  app.notFound((c) => c.json(errorBody('not-found', 'There is no such address.'), 404))
  app.onError((error, c) => answerError(error, c, report))
  return app
}

const tooLarge = errorBody('body-too-large', `A request body has at most ${MAX_BODY_BYTES} bytes.`)
