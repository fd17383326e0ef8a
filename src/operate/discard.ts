import type { Database } from '../database'
import { OperationError } from '../errors'
import type { Tables } from '../tables'
import { audited, changeInChunks, type Progress } from './audited-change'
import {
  checkOperation,
  type Responsibility,
  type Selection,
  selectionParameters,
  selectionSql,
} from './selection'
import { leasedSql, PATIENCE_MS, underLease } from './source-lease'

export interface DiscardOptions extends Responsibility, Progress {}

export interface DiscardReport {
  readonly discarded: number
}

const sourcesSql = (t: Tables) => `
SELECT DISTINCT m.source_id AS id FROM ${t.message} m WHERE m.status = 'pending' AND ${selectionSql(1)}`

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

const PENDING = (t: Tables) => `m.status = 'pending' AND ${leasedSql(t, '$5', '$6')} AND NOT EXISTS (
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
  options: DiscardOptions,
): Promise<DiscardReport> {
  checkOperation(selection, options)
  const t = db.tables
  const chosen = selectionParameters(selection)
  const change = (which: string, from: number, parameters: readonly unknown[], done: number) =>
    changeInChunks(db, discardSql(t, which, from), selection, options, parameters, done)
  let discarded = await change(`m.status IN ('dead', 'uncertain')`, 5, chosen, 0)
  for (const { id } of await db.query<{ id: string }>(sourcesSql(t), chosen)) {
    if (options.signal?.aborted) break
    const more = await underLease(db, id, `discard by ${options.actor}`, (token) =>
      change(PENDING(t), 7, [id, token, ...chosen], discarded),
    )
    if (more === undefined) {
      throw new OperationError(
        `The source ${id} is being sent for, and its turn did not end within ${PATIENCE_MS / 1000} s.`,
        'Discarding at the same time could discard what is being sent.',
        'Try again, or pause the source first.',
      )
    }
    discarded += more
  }
  return { discarded }
}
