import { setTimeout as pause } from 'node:timers/promises'
import type { Database } from '../database'
import { OperationError } from '../errors'
import type { Tables } from '../tables'
import { audited, changeInChunks } from './audited-change'
import {
  checkOperation,
  type Responsibility,
  type Selection,
  selectionParameters,
  selectionSql,
} from './selection'

export interface DiscardReport {
  readonly discarded: number
}

/** Milliseconds that a discard waits for a source's turn to end: longer than a request may take by default. */
const PATIENCE_MS = 15_000
const LEASE_MS = 30_000

const sourcesSql = (t: Tables) => `
SELECT DISTINCT m.source_id AS id FROM ${t.message} m WHERE m.status = 'pending' AND ${selectionSql(1)}`

/**
 * A discard takes the source's lease like a dispatcher: a batch that is being formed at this moment could otherwise
 * hold, and send, what is discarded here.
 */
const leaseSql = (t: Tables) => `
WITH leased AS (
  UPDATE ${t.delivery} SET lease_token = lease_token + 1, lease_owner = $2,
         lease_expires_at = clock_timestamp() + $3::int * interval '1 millisecond'
  WHERE source_id = $1 AND lease_expires_at <= clock_timestamp()
  RETURNING lease_token::text AS token
)
SELECT token FROM leased`

const releaseSql = (t: Tables) => `
WITH released AS (
  UPDATE ${t.delivery} SET lease_owner = NULL, lease_expires_at = '-infinity'
  WHERE source_id = $1 AND lease_token = $2::bigint
)
SELECT 1`

const discardSql = (t: Tables, which: string, from: number) => `
WITH chosen AS (
  SELECT m.message_id FROM ${t.message} m WHERE ${which} AND ${selectionSql(from)}
  LIMIT $4 FOR UPDATE OF m
), changed AS (
  UPDATE ${t.message} m
  SET status = 'discarded', reason = 'discarded by ' || $1 || ': ' || $2, settled_at = coalesce(settled_at, clock_timestamp())
  FROM chosen c WHERE m.message_id = c.message_id
  RETURNING m.message_id
), ${audited(t, 'discard')}
SELECT count(*)::int AS n FROM changed`

const PENDING = (t: Tables) => `m.status = 'pending' AND m.source_id = $5::uuid AND EXISTS (
  SELECT FROM ${t.delivery} d WHERE d.source_id = m.source_id AND d.lease_token = $6::bigint
) AND NOT EXISTS (
  SELECT FROM ${t.batch} o
  WHERE o.source_id = m.source_id AND o.outcome IS NULL AND m.message_id = ANY (o.message_ids)
    AND o.first_ambiguous_at IS NOT NULL
)`

/**
 * Gives messages up: dead and uncertain ones, and pending ones that Segment cannot have. A pending message whose
 * batch Segment may have accepted is left to its end. Throws OperationError where a source's turn does not end.
 */
export async function discard(
  db: Database,
  selection: Selection,
  by: Responsibility,
): Promise<DiscardReport> {
  checkOperation(selection, by)
  const t = db.tables
  const chosen = selectionParameters(selection)
  const change = (which: string, from: number, parameters: readonly unknown[]) =>
    changeInChunks(db, discardSql(t, which, from), selection, by, parameters)
  let discarded = await change(`m.status IN ('dead', 'uncertain')`, 5, chosen)
  for (const { id } of await db.query<{ id: string }>(sourcesSql(t), chosen)) {
    const token = await takeLease(db, id, by.actor)
    try {
      discarded += await change(PENDING(t), 7, [id, token, ...chosen])
    } finally {
      await db.query(releaseSql(t), [id, token])
    }
  }
  return { discarded }
}

async function takeLease(db: Database, sourceId: string, actor: string): Promise<string> {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    const [leased] = await db.query<{ token: string }>(leaseSql(db.tables), [
      sourceId,
      `discard by ${actor}`,
      LEASE_MS,
    ])
    if (leased) return leased.token
    if (performance.now() > deadline) {
      throw new OperationError(
        `The source ${sourceId} is being sent for, and its turn did not end within ${PATIENCE_MS / 1000} s.`,
        'Discarding at the same time could discard what is being sent.',
        'Try again, or pause the source first.',
      )
    }
    await pause(50)
  }
}
