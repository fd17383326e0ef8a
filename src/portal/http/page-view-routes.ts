import { Hono } from 'hono'
import { z } from 'zod'
import type { PortalContext } from '../context'
import { ValidationError } from '../errors'
import { recordPageView, type Visitor } from '../services/record-page-view'
import type { InPortal } from './environment'
import { label, readBody, text } from './input'
import { readActor } from './portal-scope'

const pageView = z.strictObject({
  name: label(200),
  category: label(100).optional(),
  path: text(1, 1024).startsWith('/'),
  title: label(300).optional(),
  search: text(0, 1024).optional(),
  referrer: text(0, 2048).optional(),
  /** The browser's own id, while nobody is logged in. */
  anonymousId: label(100).optional(),
})

/** `POST /page-views`: of the user where a token comes with it, otherwise of the browser that `anonymousId` names. */
export function pageViewRoutes(context: PortalContext) {
  return new Hono<InPortal>().post('/page-views', async (c) => {
    const actor = c.req.header('Authorization') === undefined ? undefined : await readActor(context, c)
    const { anonymousId, ...view } = await readBody(c, pageView)
    await recordPageView(context, c.get('portal'), visitorOf(actor?.userId, anonymousId), view)
    return c.body(null, 204)
  })
}

function visitorOf(userId: string | undefined, anonymousId: string | undefined): Visitor {
  if (userId !== undefined) return { userId }
  if (anonymousId !== undefined) return { anonymousId }
  throw new ValidationError({ anonymousId: 'Required while nobody is logged in' })
}
