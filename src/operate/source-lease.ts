import { setTimeout as pause } from 'node:timers/promises'
import type { Database } from '../database'
import { inMs } from '../dispatch/lease'
import type { Tables } from '../tables'

/** Milliseconds that an operation waits for a source's turn to end: longer than a request may take by default. */
export const PATIENCE_MS = 15_000
const LEASE_MS = 30_000

/** `gone` where the source has been removed: nobody can lease it then, and so nobody sends for it. */
const leaseSql = (t: Tables) => `
WITH leased AS (
  UPDATE ${t.delivery} SET lease_token = lease_token + 1, lease_owner = $2,
         lease_expires_at = ${inMs('$3')}
  WHERE source_id = $1 AND lease_expires_at <= clock_timestamp()
  RETURNING lease_token::text AS token
)
SELECT (SELECT token FROM leased) AS token, NOT EXISTS (SELECT FROM ${t.delivery} WHERE source_id = $1) AS gone`

const releaseSql = (t: Tables) => `
WITH released AS (
  UPDATE ${t.delivery} SET lease_owner = NULL, lease_expires_at = '-infinity'
  WHERE source_id = $1 AND lease_token = $2::bigint
)
SELECT 1`

/** SQL: whether messages `m` are of the source whose lease is held. Both are parameters; the token is null for one that is gone. */
export const leasedSql = (
  t: Tables,
  sourceId: string,
  token: string,
) => `m.source_id = ${sourceId}::uuid AND CASE
  WHEN ${token}::bigint IS NULL THEN NOT EXISTS (SELECT FROM ${t.delivery} d WHERE d.source_id = ${sourceId}::uuid)
  ELSE EXISTS (SELECT FROM ${t.delivery} d WHERE d.source_id = ${sourceId}::uuid AND d.lease_token = ${token}::bigint)
END`

/**
 * Changes pending messages under their source's lease, taken like a dispatcher's: a batch that is being formed at this
 * moment could otherwise hold, and send, what is changed here. Returns undefined where a turn did not end in time.
 */
export async function underLease<Result>(
  db: Database,
  sourceId: string,
  owner: string,
  work: (token: string | null) => Promise<Result>,
): Promise<Result | undefined> {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    const [lease] = await db.query<{ token: string | null; gone: boolean }>(leaseSql(db.tables), [
      sourceId,
      owner,
      LEASE_MS,
    ])
    if (lease?.gone) return work(null)
    if (lease?.token) {
      try {
        return await work(lease.token)
      } finally {
        await db.query(releaseSql(db.tables), [sourceId, lease.token])
      }
    }
    if (performance.now() > deadline) return undefined
    await pause(50)
  }
}
