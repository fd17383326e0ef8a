import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { Portal } from '../../../entities/portal'
import type { Actor, PortalContext } from '../context'
import { NotFoundError, UnauthenticatedError } from '../errors'
import { authenticate } from '../services/authenticate'
import type { InPortal, SignedIn } from './environment'

/** What a slug can look like; others are not worth a query. */
const SLUG = /^[a-z0-9-]{1,63}$/

/** Routes inside one portal: finds it by the address's `:slug`. Throws NotFoundError where there is none. */
export function inPortal({ dataSource }: PortalContext): Hono<InPortal> {
  const routes = new Hono<InPortal>()
  routes.use(async (c, next) => {
    const slug = c.req.param('slug') ?? ''
    const portal = SLUG.test(slug) ? await dataSource.manager.findOneBy(Portal, { slug }) : null
    if (!portal) throw new NotFoundError('portal')
    c.set('portal', portal)
    await next()
  })
  return routes
}

/** Lets only requests through that carry a bearer token of this portal. */
export function signedIn(context: PortalContext): MiddlewareHandler<SignedIn> {
  return async (c, next) => {
    c.set('actor', await readActor(context, c))
    await next()
  }
}

/** The user whose bearer token the request carries. Throws UnauthenticatedError. */
export async function readActor<Env extends InPortal>(
  context: PortalContext,
  c: Context<Env>,
): Promise<Actor> {
  const token = /^Bearer +(\S+)$/i.exec(c.req.header('Authorization') ?? '')?.[1]
  if (token === undefined)
    throw new UnauthenticatedError('token-missing', 'Log in first: no bearer token came.')
  return authenticate(context, c.get('portal').id, token)
}
