import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { DatabaseSetup, getDisabledLogger, initializePollingMessageListener } from 'pg-transactional-outbox'
import { clientInHandler } from './client-in-handler.mjs'

const BATCH = 100
const POOL = 25

const table = {
  outboxOrInbox: 'outbox',
  database: '',
  schema: 'public',
  table: 'peer_outbox',
  listenerRole: 'synap',
  nextMessagesSchema: 'public',
  nextMessagesName: 'next_peer_outbox_messages',
}

export const pgTransactionalOutbox = {
  name: 'pg-transactional-outbox 0.5',
  settings:
    `polling listener, nextMessagesBatchSize ${BATCH}, messages marked for parallel processing, polling without a pause, ` +
    `full batches from the start, handler pool of ${POOL}, attempts and poison protection off as it suggests for an outbox`,
  async prepare({ url }, messages) {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(DatabaseSetup.dropAndCreateTable(table))
    await client.query(DatabaseSetup.createPollingFunction(table))
    await client.query(DatabaseSetup.setupPollingIndexes(table))
    for (let at = 0; at < messages.length; at += 1000) {
      const some = messages.slice(at, at + 1000)
      await client.query(
        `INSERT INTO peer_outbox (id, aggregate_type, aggregate_id, message_type, concurrency, payload)
         SELECT u.id, 'event', u.id::text, 'track', 'parallel', u.payload
         FROM unnest($1::uuid[], $2::jsonb[]) AS u(id, payload)`,
        [some.map(() => randomUUID()), some.map((message) => JSON.stringify(message))],
      )
    }
    await client.end()
  },
  async start({ url }, target) {
    const client = clientInHandler({ ...target, together: BATCH })
    const database = { connectionString: url, max: POOL }
    const config = {
      outboxOrInbox: 'outbox',
      dbListenerConfig: database,
      dbHandlerConfig: database,
      settings: {
        dbSchema: table.schema,
        dbTable: table.table,
        nextMessagesFunctionSchema: table.nextMessagesSchema,
        nextMessagesFunctionName: table.nextMessagesName,
        nextMessagesBatchSize: BATCH,
        nextMessagesPollingIntervalInMs: 5,
        enableMaxAttemptsProtection: false,
        enablePoisonousMessageProtection: false,
      },
    }
    const handler = { handle: ({ payload }) => client.send(payload) }
    // Its default begins with as many messages one by one as a batch holds, against poison at start-up.
    const strategies = { batchSizeStrategy: async () => BATCH }
    const [shutdown] = initializePollingMessageListener(config, handler, getDisabledLogger(), strategies)
    return async () => {
      await shutdown()
      await client.close()
    }
  },
}
