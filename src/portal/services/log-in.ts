import { Raw } from 'typeorm'
import { type Portal, PortalSession, PortalUser } from '../../../entities/portal'
import type { PortalContext } from '../context'
import { UnauthenticatedError } from '../errors'
import { decoyHash, verifyPassword } from './passwords'
import { hashSessionToken, newSessionToken } from './session-token'
import { identifyTraits } from './traits'

export interface LoggedIn {
  /** The bearer token. It is not stored, and cannot be shown again. */
  token: string
  session: PortalSession
  user: PortalUser
}

/**
 * Logs a user in explicitly: a new session. Records `User Logged In` and the user's traits with it.
 *
 * Throws UnauthenticatedError `invalid-credentials`, the same and as slowly for a wrong password as for an unknown
 * address. Nothing is stored or recorded then.
 */
export async function logIn(
  context: PortalContext,
  portal: Portal,
  credentials: { email: string; password: string },
): Promise<LoggedIn> {
  const { dataSource, outbox, clock, settings } = context
  const user = await userWithPassword(context, portal, credentials)
  return dataSource.transaction(async (tx) => {
    const now = clock()
    const token = newSessionToken()
    const session = await tx.save(
      tx.create(PortalSession, {
        portalId: portal.id,
        userId: user.id,
        tokenHash: hashSessionToken(token),
        createdAt: now,
        lastSeenAt: now,
        expiresAt: new Date(now.getTime() + settings.sessionLifetimeMs),
        restoreCount: 0,
        endedAt: null,
      }),
    )
    const by = { portalId: portal.id, userId: user.id, timestamp: now }
    await outbox.record(tx, [
      {
        ...by,
        type: 'track',
        event: 'User Logged In',
        properties: { sessionId: session.id, method: 'password' },
      },
      { ...by, type: 'identify', traits: identifyTraits(user) },
    ])
    return { token, session, user }
  })
}

async function userWithPassword(
  { dataSource, settings }: PortalContext,
  portal: Portal,
  { email, password }: { email: string; password: string },
): Promise<PortalUser> {
  const ofAddress = {
    portalId: portal.id,
    email: Raw((column) => `lower(${column}) = lower(:email)`, { email }),
  }
  const account = await dataSource.manager.findOne(PortalUser, {
    where: ofAddress,
    select: { id: true, passwordHash: true },
  })
  const matches = await verifyPassword(password, account?.passwordHash ?? decoyHash(settings.passwordCost))
  const user = account && matches ? await dataSource.manager.findOneBy(PortalUser, { id: account.id }) : null
  if (!user)
    throw new UnauthenticatedError('invalid-credentials', 'The email address or the password is wrong.')
  return user
}
