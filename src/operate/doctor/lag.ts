import { ageMsSql, waitingSql } from '../inspect/waiting'
import { duration, plural } from '../inspect/words'
import { type Check, ok, problem } from './check'

/** Longer than back-off, turns and a lost lease take when all is well. */
const LATE = '2 minutes'

/** Whether sources wait that could be sent for, and that nobody has claimed: trouble of the dispatchers, not of Segment. */
export const lag: Check = {
  name: 'lag-unclaimed',
  async look({ db }) {
    const t = db.tables
    const [row] = await db.query<{ sources: number; lagMs: number | null }>(
      `WITH RECURSIVE ${waitingSql(t)}
       SELECT count(*)::int AS sources, ${ageMsSql('min(w.recorded_at)')} AS "lagMs"
       FROM waiting w JOIN ${t.source} s USING (source_id) JOIN ${t.delivery} d USING (source_id)
       WHERE s.status = 'enabled' AND d.resume_at <= clock_timestamp() AND d.lease_expires_at <= clock_timestamp()
         AND w.recorded_at < clock_timestamp() - interval '${LATE}'
         AND d.last_turn_at < clock_timestamp() - interval '${LATE}'`,
    )
    const { sources = 0, lagMs = null } = row ?? {}
    if (sources === 0) return ok('No source waits that could be sent for.')
    return problem(
      `${plural(sources, 'source')} could be sent for, and nobody does; the oldest message has waited for ${duration(lagMs ?? 0)}.`,
      'Events reach their warehouses late, and the window in which they are safe to send again may close.',
      'Is a dispatcher running, and does it reach this database? If all are busy with other sources: more processes, or a higher `dispatcher.concurrency`.',
    )
  },
}
