import { randomUUID } from 'node:crypto'
import { submittedTest } from './events.mjs'

const INSERT = `INSERT INTO bare_message (message_id, source_id, occurred_at, wire_bytes, type, event, portal_id, user_id, body)
  VALUES ($1, $2, $3, $4, 'track', 'Submitted Test', $5, $6, $7)`

/** A table like the outbox's: same columns, checks and indexes. */
export function createBareTable(world) {
  return world.query('CREATE TABLE bare_message (LIKE outbox_message INCLUDING ALL)')
}

/** What an application would write without the module: an event as it is, nothing looked up and nothing checked. */
export function bareInsert(tx, { portalId, sourceId }, size) {
  const { userId, properties, context } = submittedTest(portalId, size)
  const timestamp = new Date().toISOString()
  const body = JSON.stringify({
    type: 'track',
    userId,
    event: 'Submitted Test',
    properties,
    timestamp,
    context,
  })
  return tx.query(INSERT, [randomUUID(), sourceId, timestamp, body.length, portalId, userId, body])
}
