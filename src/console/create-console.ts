import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener, RequestError } from '@hono/node-server'
import { createApp } from './app'
import { type ConsoleOptions, resolveConsoleOptions } from './options'

/** Answers a request below the console's path. Any other goes to `next`, or is answered 404 where there is none. */
export type ConsoleHandler = (request: IncomingMessage, response: ServerResponse, next?: () => void) => void

/**
 * The operations console: a handler for any Node server. It opens nothing, keeps nothing but the operations that it has
 * started, and does its work through the outbox's public API. Throws OptionsError.
 */
export function createConsole(options: ConsoleOptions): ConsoleHandler {
  const resolved = resolveConsoleOptions(options)
  const { path } = resolved
  const onError = harmless(resolved.onError)
  const app = createApp({ ...resolved, onError }, (request) => pathBelow(path, request) ?? '')
  const listener = getRequestListener((request, env) => app.fetch(request, env), {
    // A guest does not replace the globals of its host.
    overrideGlobalObjects: false,
    errorHandler: (error) => {
      if (error instanceof RequestError)
        return new Response('This is no request of a browser.\n', { status: 400 })
      onError(error)
      return new Response('The console failed.\n', { status: 500 })
    },
  })
  return (request, response, next) => {
    if (pathBelow(path, request) !== undefined) void listener(request, response)
    else if (next) next()
    else
      response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' }).end('There is no such page.\n')
  }
}

/** An error of what is told of errors ends here: let go unhandled, its rejection would end the application's process. */
function harmless(onError: (error: unknown) => unknown): (error: unknown) => void {
  return (error) => {
    void Promise.resolve(error).then(onError).catch(nothing)
  }
}

function nothing(): void {}

/**
 * The part of the address below the console's path, `/` for its front page; undefined where it is outside. Express
 * takes the mount path off `url`, and keeps the whole in `originalUrl`.
 */
function pathBelow(base: string, request: IncomingMessage): string | undefined {
  const { originalUrl, url = '' } = request as IncomingMessage & { originalUrl?: string }
  const [path = ''] = (originalUrl ?? url).split('?', 1)
  if (path !== base && !path.startsWith(`${base}/`)) return undefined
  return path.slice(base.length).replace(/\/$/, '') || '/'
}
