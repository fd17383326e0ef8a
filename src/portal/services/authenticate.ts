import { IsNull, LessThan, MoreThan } from 'typeorm'
import { PortalSession, PortalUser } from '../../../entities/portal'
import type { Actor, PortalContext } from '../context'
import { UnauthenticatedError } from '../errors'
import { restoreSession } from './restore-session'
import { hashSessionToken } from './session-token'

/** Being seen is written down at most this often, so that most requests write nothing. Milliseconds. */
const TOUCH_MS = 60_000

/**
 * The user that a bearer token stands for in this portal. The first request after a period of inactivity restores
 * the session (`User Session Restored`).
 *
 * Throws UnauthenticatedError `session-invalid` for an unknown, ended or expired token, and for one of another portal.
 */
export async function authenticate(context: PortalContext, portalId: string, token: string): Promise<Actor> {
  return actorOf(context, { portalId, tokenHash: hashSessionToken(token) })
}

/** The same where the address names no portal, as in the dashboard: the session itself says which one it is of. */
export async function authenticateAnywhere(context: PortalContext, token: string): Promise<Actor> {
  return actorOf(context, { tokenHash: hashSessionToken(token) })
}

async function actorOf(
  context: PortalContext,
  whose: { portalId?: string; tokenHash: Buffer },
): Promise<Actor> {
  const { dataSource, clock, settings } = context
  const now = clock()
  const session = await dataSource.manager.findOneBy(PortalSession, {
    ...whose,
    endedAt: IsNull(),
    expiresAt: MoreThan(now),
  })
  const user = session && (await dataSource.manager.findOneBy(PortalUser, { id: session.userId }))
  if (!user)
    throw new UnauthenticatedError('session-invalid', 'Log in first: this session is unknown or over.')
  const unseenMs = now.getTime() - session.lastSeenAt.getTime()
  if (unseenMs >= settings.idleMs) await restoreSession(context, session.id)
  else if (unseenMs >= Math.min(TOUCH_MS, settings.idleMs / 10)) {
    // Of several processes, the one whose clock is behind must not turn the time back.
    await dataSource.manager.update(
      PortalSession,
      { id: session.id, lastSeenAt: LessThan(now) },
      { lastSeenAt: now },
    )
  }
  return { portalId: session.portalId, userId: user.id, sessionId: session.id, role: user.role }
}
