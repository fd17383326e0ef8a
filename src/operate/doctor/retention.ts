import { moment } from '../inspect/words'
import { type Check, ok, problem } from './check'

/** The cron of pruning, its bounded chunks, and a weekend's outage. */
const GRACE_DAYS = 2

/** Whether anybody prunes. */
export const retention: Check = {
  name: 'retention-not-running',
  async look({ db, retention: days }) {
    const kept: Record<string, number> = {
      delivered: days.deliveredDays,
      dead: days.deadDays,
      uncertain: days.uncertainDays,
      discarded: days.discardedDays,
    }
    const overdue: string[] = []
    for (const [status, limit] of Object.entries(kept)) {
      const [row] = await db.query<{ at: Date }>(
        `SELECT settled_at AS at FROM ${db.tables.message}
         WHERE status = '${status}' AND status <> 'pending'
           AND settled_at < clock_timestamp() - $1::float8 * interval '1 day' ORDER BY settled_at LIMIT 1`,
        [limit + GRACE_DAYS],
      )
      if (row) overdue.push(`${status} since ${moment(row.at)}, kept for ${limit} d`)
    }
    if (overdue.length === 0) return ok('Nothing is kept longer than its retention.')
    return problem(
      `Messages are kept longer than they should be: ${overdue.join('; ')}.`,
      'The tables grow, and personal data stays longer than was promised.',
      'Pruning runs in started processes on `retention.cron`: see whether its errors are in the log. `synap-outbox prune` does it now.',
    )
  },
}
