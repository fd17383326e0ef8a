import { Hono } from 'hono'
import type { PortalContext } from '../context'

/** `GET /health`: 200 while the database answers, 503 otherwise. */
export function healthRoute({ dataSource }: PortalContext): Hono {
  return new Hono().get('/', async (c) => {
    try {
      await dataSource.query('SELECT 1')
      return c.json({ status: 'ok' })
    } catch {
      return c.json({ status: 'unavailable' }, 503)
    }
  })
}
