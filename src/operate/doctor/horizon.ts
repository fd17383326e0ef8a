import { duration } from '../inspect/words'
import { type Check, ok, problem } from './check'

interface Pin {
  what: string
  ageMs: number | null
  ageXids: string | null
}

/** A batch job takes minutes; what pins for longer is forgotten. */
const LONG = '10 minutes'
/** For what has no age in time: transactions since. */
const MANY_TRANSACTIONS = 1_000_000

/** Views that hide other roles' queries still show that they are there: pid and age are seen by everyone. */
export const pinsSql = (long: string) => `
SELECT format('session %s (%s, %s)', a.pid, coalesce(nullif(a.application_name, ''), 'no name'), coalesce(a.state, 'hidden')) AS what,
       extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.query_start)) * 1000 AS "ageMs",
       age(a.backend_xmin)::text AS "ageXids"
FROM pg_stat_activity a
WHERE a.pid <> pg_backend_pid() AND (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL)
  AND (a.datname = current_database() OR a.backend_type = 'walsender') AND a.backend_type <> 'autovacuum worker'
  AND coalesce(a.xact_start, a.query_start, clock_timestamp()) < clock_timestamp() - interval '${long}'
UNION ALL
SELECT format('prepared transaction %L of %s', gid, owner), extract(epoch FROM clock_timestamp() - prepared) * 1000,
       age(transaction)::text
FROM pg_prepared_xacts WHERE database = current_database() AND prepared < clock_timestamp() - interval '${long}'
UNION ALL
SELECT format('replication slot %s (%s)', slot_name, CASE WHEN active THEN 'active' ELSE 'inactive' END), NULL,
       greatest(age(xmin), age(catalog_xmin))::text
FROM pg_replication_slots
WHERE greatest(age(xmin), age(catalog_xmin)) > CASE WHEN active THEN ${MANY_TRANSACTIONS} ELSE -1 END
UNION ALL
SELECT format('standby %s with hot_standby_feedback', coalesce(nullif(application_name, ''), pid::text)), NULL,
       age(backend_xmin)::text
FROM pg_stat_replication WHERE age(backend_xmin) > ${MANY_TRANSACTIONS}`

/** What keeps vacuum from removing dead rows, in any of its four ways. */
export const horizon: Check = {
  name: 'vacuum-horizon-pinned',
  async look({ db }) {
    const pins = await db.query<Pin>(pinsSql(LONG))
    if (pins.length === 0) return ok('Nothing pins the vacuum horizon.')
    return pins.map(({ what, ageMs, ageXids }) => {
      const since = ageMs === null ? `${ageXids ?? '?'} transactions` : duration(Number(ageMs))
      return problem(
        `The vacuum horizon is pinned for ${since} by ${what}.`,
        'Dead rows of every table stay, and reading slows down the longer it lasts.',
        remedyOf(what),
      )
    })
  },
}

function remedyOf(what: string): string {
  if (what.startsWith('session')) {
    return 'End its transaction, or the session with `SELECT pg_terminate_backend(pid)`; set `idle_in_transaction_session_timeout`.'
  }
  if (what.startsWith('prepared'))
    return 'Decide it: `COMMIT PREPARED` or `ROLLBACK PREPARED` with that name.'
  if (what.startsWith('replication')) {
    return 'Bring its consumer back, or remove the slot with `SELECT pg_drop_replication_slot(name)` if it has none any more.'
  }
  return 'End the long query on the standby, or set `max_standby_streaming_delay` there.'
}
