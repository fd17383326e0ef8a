import express from 'express'
import type { Outbox } from 'synap-outbox'
import { createConsole } from 'synap-outbox/console'
import { operatorOf } from './operator'

export function createApp(outbox: Outbox): express.Express {
  const app = express()
  app.use(express.urlencoded()) // before or after, or not at all
  app.use(createConsole({ outbox, authorize: operatorOf }))
  app.get('/', (_request, response) => void response.send('the application'))
  return app
}
