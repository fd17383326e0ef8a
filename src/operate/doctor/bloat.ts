import { moment } from '../inspect/words'
import { type Check, notice, ok } from './check'

interface Row {
  table: string
  dead: number
  live: number
  at: Date | null
}

/** Less is noise: autovacuum comes by itself. */
const LEAST_DEAD = 10_000

/** Whether vacuum keeps up, by the statistics that PostgreSQL keeps of each table. */
export const bloat: Check = {
  name: 'bloat',
  async look({ db }) {
    const { message, batch, delivery } = db.tables
    const rows = await db.query<Row>(
      `SELECT relname AS table, n_dead_tup::float8 AS dead, n_live_tup::float8 AS live,
              greatest(last_autovacuum, last_vacuum) AS at
       FROM pg_stat_all_tables WHERE relid = ANY (SELECT to_regclass(t)::oid FROM unnest($1::text[]) t)
       ORDER BY relname`,
      [[message, batch, delivery]],
    )
    const bloated = rows.filter(({ dead, live }) => dead >= LEAST_DEAD && dead > live * 0.5)
    if (bloated.length === 0) return ok('Vacuum keeps up with the outbox’s tables.')
    return bloated.map(({ table, dead, live, at }) =>
      notice(
        `${table} has ${dead} dead rows beside ${live} live ones; ${at ? `last vacuumed ${moment(at)}` : 'it was never vacuumed'}.`,
        'Reading walks past them, and the table takes more room than it needs.',
        `See what pins the vacuum horizon first; then \`VACUUM (VERBOSE) ${table}\` tells what is in its way. Is autovacuum on?`,
      ),
    )
  },
}
