import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { type ConsoleHandler, createConsole } from 'synap-outbox/console'
import type { PortalOutbox } from '../context'

/** Where the outbox's operations console is. */
export const CONSOLE = '/outbox'

/**
 * The operations console beside the portal. It shows every portal's messages, so no user of a portal is let in: there is
 * one operator, who signs in with HTTP's Basic scheme and a password of this run.
 */
export function operationsConsole(outbox: PortalOutbox, password: string): ConsoleHandler {
  const expected = `Basic ${Buffer.from(`operator:${password}`).toString('base64')}`
  const isOperator = ({ headers }: IncomingMessage) => same(headers.authorization ?? '', expected)
  const handle = createConsole({
    outbox,
    path: CONSOLE,
    authorize: (request) => (isOperator(request) ? { actor: 'operator', mayChange: true } : undefined),
    onError: console.error,
  })
  return (request, response, next) => {
    // The console itself lets nobody else in; this makes the browser ask.
    if (request.url?.startsWith(CONSOLE) && !isOperator(request)) {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="Outbox operators"' })
      response.end('Sign in as operator, with the password that npm start has printed.\n')
    } else handle(request, response, next)
  }
}

/** In a time that tells nothing of where they differ. */
function same(a: string, b: string): boolean {
  const [x, y] = [a, b].map((text) => createHash('sha256').update(text).digest())
  return timingSafeEqual(x as Buffer, y as Buffer)
}
