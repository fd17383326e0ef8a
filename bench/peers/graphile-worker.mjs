import { Logger, makeWorkerUtils, run } from 'graphile-worker'
import pg from 'pg'
import { clientInHandler } from './client-in-handler.mjs'

const CONCURRENCY = 100
const POOL = 25

/** Its own function for many at once; the library has none before 0.17. */
const ADD = `
  SELECT count(*) FROM graphile_worker.add_jobs(
    ARRAY(SELECT s FROM json_populate_recordset(null::graphile_worker.job_spec, $1::json) AS s))`

const quiet = new Logger(() => () => {})

export const graphileWorker = {
  name: 'graphile-worker 0.16',
  settings:
    `concurrency ${CONCURRENCY}, so that the client's requests are full, and maxPoolSize ${POOL} as in its own ` +
    'performance page; jobs without a queue name, which would make them sequential',
  async prepare({ url }, messages) {
    const utils = await makeWorkerUtils({ connectionString: url, logger: quiet })
    await utils.migrate()
    for (let at = 0; at < messages.length; at += 1000) {
      const jobs = messages.slice(at, at + 1000).map((payload) => ({ identifier: 'send', payload }))
      await utils.withPgClient((client) => client.query(ADD, [JSON.stringify(jobs)]))
    }
    await utils.release()
  },
  async start({ url }, target) {
    const client = clientInHandler({ ...target, together: CONCURRENCY })
    // Its own pool it does not wait for: what is left of it would see the database dropped.
    const pgPool = new pg.Pool({ connectionString: url, max: POOL })
    pgPool.on('error', () => {})
    const runner = await run({
      pgPool,
      logger: quiet,
      concurrency: CONCURRENCY,
      noHandleSignals: true,
      pollInterval: 100,
      taskList: { send: (payload) => client.send(payload) },
    })
    return async () => {
      await runner.stop()
      await pgPool.end()
      await client.close()
    }
  },
}
