import { Hono } from 'hono'
import type { PortalContext } from '../context'

/**
 * `GET /health`, for a load balancer: 200 while the database answers, 503 otherwise. What the outbox says of itself is
 * beside it: lag is a matter for an alert, since another process would do no better.
 */
export function healthRoute({ dataSource, outbox }: PortalContext): Hono {
  return new Hono().get('/', async (c) => {
    try {
      await dataSource.query('SELECT 1')
    } catch {
      return c.json({ status: 'unavailable' }, 503)
    }
    const { status, problems } = await outbox.inspect.health()
    return c.json({ status, problems }, status === 'unavailable' ? 503 : 200)
  })
}
