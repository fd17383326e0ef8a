import type { IncomingMessage } from 'node:http'
import type { Operator } from 'synap-outbox/console'
import { findSession } from './sessions'

/** Who a request is from: the application's own sign-in decides, and only its staff is let in. */
export async function operatorOf(request: IncomingMessage): Promise<Operator | undefined> {
  const session = await findSession(request.headers.cookie)
  if (!session?.isStaff) return undefined
  return { actor: session.email, mayChange: session.roles.includes('operator') }
}
