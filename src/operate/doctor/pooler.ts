import { type Check, ok, problem } from './check'

/**
 * Whether a pooler such as PgBouncer stands between, and suits. A pooler tells a connection a process id of its own,
 * which is not that of the backend; and in statement mode it refuses transactions.
 */
export const pooler: Check = {
  name: 'connection-pooler',
  async look({ db }) {
    const runner = db.dataSource.createQueryRunner('master')
    try {
      const told = pidOf(await runner.connect())
      const [backend] = (await runner.query('SELECT pg_backend_pid() AS pid')) as { pid: number }[]
      if (told === undefined || told === backend?.pid) return ok('Connections go to PostgreSQL itself.')
      if (!(await refusesTransactions(runner))) {
        return ok(
          'Connections go through a pooler in session or transaction mode; the outbox works with both.',
        )
      }
      return problem(
        'Connections go through a pooler in statement mode, which refuses transactions.',
        'An event cannot be recorded in the transaction of its change.',
        'Set `pool_mode = transaction` for this database.',
      )
    } finally {
      await runner.release()
    }
  },
}

/** The process id that the connection was told when it was opened: a pooler tells one of its own. */
function pidOf(connection: unknown): number | undefined {
  const { processID } = connection as { processID?: unknown }
  return typeof processID === 'number' ? processID : undefined
}

async function refusesTransactions(runner: { query(sql: string): Promise<unknown> }): Promise<boolean> {
  try {
    await runner.query('BEGIN')
    await runner.query('ROLLBACK')
    return false
  } catch {
    return true
  }
}
