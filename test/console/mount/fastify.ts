import fastify, { type FastifyInstance } from 'fastify'
import type { Outbox } from 'synap-outbox'
import { createConsole } from 'synap-outbox/console'
import { operatorOf } from './operator'

export function createApp(outbox: Outbox): FastifyInstance {
  const app = fastify()
  const operations = createConsole({ outbox, authorize: operatorOf })
  app.register(async (scope) => {
    // The console reads its forms itself.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null))
    for (const path of ['/outbox', '/outbox/*']) {
      scope.all(path, (request, reply) => {
        reply.hijack()
        operations(request.raw, reply.raw)
      })
    }
  })
  app.get('/', async () => 'the application')
  return app
}
