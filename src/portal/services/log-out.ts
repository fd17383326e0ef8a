import { IsNull } from 'typeorm'
import { PortalSession } from '../../../entities/portal'
import type { Actor, PortalContext } from '../context'

/** Ends the session. Its token is worthless from then on. */
export async function logOut({ dataSource, clock }: PortalContext, actor: Actor): Promise<void> {
  await dataSource.manager.update(
    PortalSession,
    { id: actor.sessionId, endedAt: IsNull() },
    { endedAt: clock() },
  )
}
