import type { Region } from '../../entities'
import type { Database } from '../database'
import { LeaseLostError } from '../errors'
import { oncePerTables, planned } from '../planned'
import { reached } from '../steps'
import type { Tables } from '../tables'
import { firstPending, isOpen } from './first-of-source'

/** The right to send for one source, until it expires on the database's clock or another process takes it. */
export interface Lease {
  readonly sourceId: string
  readonly portalId: string
  readonly region: Region
  readonly ciphertext: Buffer
  readonly secretId: string
  /** Which of the source's write keys that is: once another is saved, this lease sends no more. */
  readonly keyVersion: number
  /** Fencing token. Every statement that settles anything is conditional on it. */
  readonly token: string
  /** Failed attempts since the last success, when the lease was taken. */
  readonly failures: number
  /** Where reading starts: the low-water mark, or 0 when a sweep is due. */
  readonly readFrom: string
  /** An earlier lease left a batch open: it has to be settled before anything new is sent. */
  readonly hasOpenBatch: boolean
}

/** How often pending messages are read from the very beginning, whatever the low-water mark says. */
const SWEEP_INTERVAL = '30 seconds'

/**
 * Takes up to `limit` due sources, the longest-waiting first.
 *
 * `waiting` walks the partial index from source to source (a loose index scan), so the work grows with the sources
 * that have something to send and not with all of them. SKIP LOCKED keeps two dispatchers from waiting for each other.
 */
const leaseSql = (t: Tables) => `
WITH RECURSIVE waiting(source_id) AS (
  (SELECT source_id FROM ${t.message} WHERE status = 'pending' ORDER BY source_id LIMIT 1)
  UNION ALL
  SELECT (SELECT m.source_id FROM ${t.message} m
          WHERE m.status = 'pending' AND m.source_id > w.source_id ORDER BY m.source_id LIMIT 1)
  FROM waiting w WHERE w.source_id IS NOT NULL
), due AS (
  SELECT d.source_id, d.swept_at < clock_timestamp() - interval '${SWEEP_INTERVAL}' AS sweep
  FROM waiting w JOIN ${t.delivery} d USING (source_id) JOIN ${t.source} s USING (source_id)
  WHERE s.status = 'enabled' AND d.resume_at <= clock_timestamp()
    AND (d.lease_expires_at <= clock_timestamp() OR d.lease_owner = $2) AND d.source_id <> ALL ($4::uuid[])
  ORDER BY d.last_turn_at, d.source_id
  LIMIT $1
  FOR NO KEY UPDATE OF d SKIP LOCKED
), leased AS (
  UPDATE ${t.delivery} d
  SET lease_owner = $2, lease_token = d.lease_token + 1,
      lease_expires_at = ${inMs('$3')}, last_turn_at = clock_timestamp(),
      swept_at = CASE WHEN due.sweep THEN clock_timestamp() ELSE d.swept_at END
  FROM due WHERE d.source_id = due.source_id
  RETURNING d.source_id, d.lease_token, d.failures, d.last_turn_at,
            CASE WHEN due.sweep THEN 0 ELSE d.settled_through_seq END AS read_from
)
SELECT l.source_id AS "sourceId", l.lease_token::text AS token, l.failures, l.read_from::text AS "readFrom",
       s.portal_id AS "portalId", s.region, s.write_key_ciphertext AS ciphertext,
       s.write_key_secret_id AS "secretId", s.write_key_version AS "keyVersion",
       ${isOpen(t, 'NULL', 'l.source_id')} AS "hasOpenBatch"
FROM leased l JOIN ${t.source} s USING (source_id)
ORDER BY l.last_turn_at`

export const takeLeasesFunction = oncePerTables((t) =>
  planned(
    t.takeLeases,
    ['integer', 'text', 'bigint', 'uuid[]'],
    [
      '"sourceId" uuid',
      'token text',
      'failures integer',
      '"readFrom" text',
      '"portalId" text',
      'region text',
      'ciphertext bytea',
      '"secretId" text',
      '"keyVersion" integer',
      '"hasOpenBatch" boolean',
    ],
    leaseSql(t),
  ),
)

/**
 * Takes leases for due sources. One that this dispatcher holds without knowing is due too: a connection broke between
 * the commit that took it, or that would have given it back, and its answer, and nobody else would use it until it ends.
 *
 * @param owner unique to this dispatcher
 * @param serving sources that it still has a turn for. A lease of its own that expired unnoticed (the process was
 *   paused) would be due as well; taken again, the same process would send two batches of one source at once.
 */
export async function takeLeases(
  db: Database,
  owner: string,
  leaseMs: number,
  limit: number,
  serving: readonly string[] = [],
): Promise<Lease[]> {
  reached('lease:before')
  const leases = await db.query<Lease>(takeLeasesFunction(db.tables).call, [limit, owner, leaseMs, serving])
  reached('lease:after')
  return leases
}

/**
 * Renews a lease as part of the statement that writes ahead, so that a request never starts under a lease that is
 * about to end. A lease that expired unnoticed but that nobody took is still ours: the token decides, not the time.
 *
 * `current` is false once a person has paused the source or saved another write key: nothing more goes out under this
 * lease then, so that pausing holds, and the new key is used, from the next request on.
 *
 * @param keyVersion the parameter with the lease's `keyVersion`
 * @param set what becomes of the source's state
 */
export const heldSql = (t: Tables, keyVersion: string, set = `lease_expires_at = ${inMs('$3')}`) => `
  UPDATE ${t.delivery} d SET ${set}
  FROM ${t.source} s
  WHERE d.source_id = $1 AND d.lease_token = $2::bigint AND s.source_id = d.source_id
  RETURNING d.source_id, s.status = 'enabled' AND s.write_key_version = ${keyVersion}::int AS current`

/** SQL: so many milliseconds from now. */
export function inMs(parameter: string): string {
  return `clock_timestamp() + ${parameter}::bigint * interval '1 millisecond'`
}

/** Throws where a statement found that the fencing token is no longer ours. */
export function requireHeld(held: boolean | undefined, lease: Lease): void {
  if (!held) throw new LeaseLostError(lease.sourceId, lease.token)
}

const releaseSql = (t: Tables) => `
WITH released AS (
  UPDATE ${t.delivery} SET lease_owner = NULL, lease_expires_at = '-infinity'
  WHERE source_id = $1 AND lease_token = $2::bigint
  RETURNING settled_through_seq, resume_at
)
SELECT (${firstPending(t, '(SELECT settled_through_seq FROM released WHERE resume_at <= clock_timestamp())')}) IS NOT NULL AS more`

/**
 * Gives a lease back. Tells whether messages are due: one may have been committed by another process after the last
 * read, whose own dispatcher found the source leased and went on.
 */
export async function releaseLease(db: Database, lease: Lease): Promise<boolean> {
  reached('release:before')
  const [answer] = await db.query<{ more: boolean }>(releaseSql(db.tables), [lease.sourceId, lease.token])
  reached('release:after')
  return answer?.more ?? false
}
