import { Hono } from 'hono'
import { z } from 'zod'
import { PortalUser } from '../../../entities/portal'
import type { PortalContext } from '../context'
import { logIn } from '../services/log-in'
import { logOut } from '../services/log-out'
import { register } from '../services/register'
import { MAX_ATTRIBUTES, updateProfile } from '../services/update-profile'
import type { InPortal, SignedIn } from './environment'
import { label, readBody, text } from './input'
import { signedIn } from './portal-scope'
import { sessionView, userView } from './views'

const credentials = z.strictObject({ email: z.email().max(320), password: text(1, 200) })

const registration = z.strictObject({
  email: z.email().max(320),
  password: text(10, 200),
  firstName: label(100),
  lastName: label(100),
})

const attributeName = z.string().regex(/^[\p{L}\p{N}][\p{L}\p{N} _-]{0,49}$/u)
const attributeValue = z.union([text(0, 200), z.number(), z.boolean(), z.null()])

const profile = z.strictObject({
  firstName: label(100).optional(),
  lastName: label(100).optional(),
  profilePicture: text(1, 2048)
    .pipe(z.url({ protocol: /^https$/ }))
    .nullable()
    .optional(),
  marketingEmailsConsent: z.enum(['removed', 'pending', 'confirmed']).optional(),
  attributes: z
    .record(attributeName, attributeValue)
    .refine((attributes) => Object.keys(attributes).length <= MAX_ATTRIBUTES * 2, 'Too many attributes')
    .optional(),
})

/** Registering, logging in and out, and the user's own profile. */
export function accountRoutes(context: PortalContext) {
  const routes = new Hono<InPortal>()

  routes.post('/register', async (c) => {
    const user = await register(context, c.get('portal'), await readBody(c, registration))
    return c.json({ user: userView(user) }, 201)
  })

  routes.post('/login', async (c) => {
    const { token, session, user } = await logIn(context, c.get('portal'), await readBody(c, credentials))
    return c.json({ token, session: sessionView(session), user: userView(user) })
  })

  const account = new Hono<SignedIn>()
  const auth = signedIn(context)

  account.post('/logout', auth, async (c) => {
    await logOut(context, c.get('actor'))
    return c.body(null, 204)
  })

  account.get('/me', auth, async (c) => {
    const user = await context.dataSource.manager.findOneByOrFail(PortalUser, { id: c.get('actor').userId })
    return c.json({ user: userView(user) })
  })

  account.patch('/profile', auth, async (c) => {
    const user = await updateProfile(context, c.get('actor'), await readBody(c, profile))
    return c.json({ user: userView(user) })
  })

  return routes.route('/', account)
}
