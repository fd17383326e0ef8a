import http from 'node:http'
import type { Outbox } from 'synap-outbox'
import { createConsole } from 'synap-outbox/console'
import { operatorOf } from './operator'

export function createServer(outbox: Outbox): http.Server {
  const operations = createConsole({ outbox, authorize: operatorOf })
  return http.createServer((request, response) => {
    operations(request, response, () => response.end('the application'))
  })
}
