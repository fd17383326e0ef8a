import { PortalSession, SessionRestore } from '../../../entities/portal'
import type { PortalContext } from '../context'

/**
 * Takes up a session after a period of inactivity. Records `User Session Restored` once for each such period.
 *
 * A page that is opened again sends several requests at once, and each finds the session idle. They queue for its
 * row; the first restores it, the others then find it fresh and leave it alone.
 */
export async function restoreSession(context: PortalContext, sessionId: string): Promise<void> {
  const { dataSource, outbox, clock, settings } = context
  await dataSource.transaction(async (tx) => {
    const session = await tx.findOneOrFail(PortalSession, {
      where: { id: sessionId },
      lock: { mode: 'for_no_key_update' },
    })
    const now = clock()
    const inactiveMs = now.getTime() - session.lastSeenAt.getTime()
    if (session.endedAt !== null || inactiveMs < settings.idleMs) return
    const restoreCount = session.restoreCount + 1
    const inactiveSeconds = Math.floor(inactiveMs / 1000)
    await tx.update(PortalSession, session.id, { restoreCount, lastSeenAt: now })
    await tx.insert(SessionRestore, {
      portalId: session.portalId,
      sessionId,
      restoreNumber: restoreCount,
      inactiveSeconds,
      restoredAt: now,
    })
    await outbox.track(tx, 'User Session Restored', {
      portalId: session.portalId,
      userId: session.userId,
      timestamp: now,
      properties: {
        sessionId,
        restoreNumber: restoreCount,
        inactiveSeconds,
      },
    })
  })
}
