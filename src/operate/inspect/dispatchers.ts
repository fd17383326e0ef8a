import type { Database } from '../../database'
import type { Tables } from '../../tables'
import type { DispatcherState } from './types'

/** Ticks that may be missed, and the least time, before a dispatcher counts as gone: a busy host is late at times. */
const MISSED_TICKS = 3
const LEAST_SILENCE_MS = 15_000

/** SQL: whether the dispatcher `d` has ticked lately, on the database's clock. */
export const aliveSql = `d.last_tick_at > clock_timestamp()
  - greatest(d.interval_ms * ${MISSED_TICKS}, ${LEAST_SILENCE_MS}) * interval '1 millisecond'`

const dispatchersSql = (t: Tables) => `
SELECT d.owner, d.started_at AS "startedAt", d.last_tick_at AS "lastTickAt", d.interval_ms::float8 AS "intervalMs",
       d.version, ${aliveSql} AS alive,
       (SELECT count(*)::int FROM ${t.delivery} l
        WHERE l.lease_owner = d.owner AND l.lease_expires_at > clock_timestamp()) AS leases
FROM ${t.dispatcher} d
ORDER BY alive DESC, d.started_at DESC, d.owner
LIMIT 1000`

/** Dispatchers that are known, those alive first. */
export function listDispatchers(db: Database): Promise<DispatcherState[]> {
  return db.query<DispatcherState>(dispatchersSql(db.tables))
}
