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

export interface RedriveOptions extends Responsibility, Progress {
  /**
   * What to do with messages that Segment may have accepted already: the `uncertain` ones, and dead ones with an
   * attempt whose outcome nobody knows. `send-again` may double them in the portal's warehouse, `mark-delivered` may
   * leave them out. Without a choice they are left alone.
   */
  inDoubt?: 'send-again' | 'mark-delivered'
}

export interface RedriveReport {
  /** Messages that are pending again. */
  readonly redriven: number
  /** Messages that were marked delivered. */
  readonly marked: number
}

/** SQL: refused for good by Segment, and by all that is known never accepted. A diverted message was never sendable. */
export const REFUSED = `(m.status = 'dead' AND b.batch_id IS NOT NULL AND b.first_ambiguous_at IS NULL)`
/** SQL: Segment may have it. So it may where the history that would tell has been pruned. */
export const IN_DOUBT = `(m.status = 'uncertain' OR (m.status = 'dead' AND m.batch_id IS NOT NULL
  AND (b.batch_id IS NULL OR b.first_ambiguous_at IS NOT NULL)))`

/**
 * Selected messages go to the end of their source's queue, in their old order, each with a new `seq`: the low-water
 * mark has passed the old one. The transaction has its id before any `seq` is drawn, as when recording.
 */
export const sendAgainSql = (t: Tables, which: string) => `
WITH chosen AS (
  SELECT m.message_id, m.seq FROM ${t.message} m LEFT JOIN ${t.batch} b USING (batch_id)
  WHERE ${which} AND ${selectionSql(5)} AND pg_current_xact_id() IS NOT NULL
  ORDER BY m.seq LIMIT $4 FOR UPDATE OF m
), queued AS MATERIALIZED (
  SELECT c.message_id, nextval(pg_get_serial_sequence('${t.message.replaceAll("'", "''")}', 'seq')) AS seq FROM (SELECT * FROM chosen ORDER BY seq) c
), changed AS (
  UPDATE ${t.message} m SET status = 'pending', seq = q.seq, reason = NULL, batch_id = NULL, settled_at = NULL
  FROM queued q WHERE m.message_id = q.message_id
  RETURNING m.message_id
), ${audited(t, 'send again')}
SELECT count(*)::int AS n FROM changed`

const markDeliveredSql = (t: Tables) => `
WITH chosen AS (
  SELECT m.message_id FROM ${t.message} m LEFT JOIN ${t.batch} b USING (batch_id)
  WHERE ${IN_DOUBT} AND ${selectionSql(5)}
  LIMIT $4 FOR UPDATE OF m
), changed AS (
  UPDATE ${t.message} m SET status = 'delivered', reason = 'marked delivered by ' || $1 || ': ' || $2
  FROM chosen c WHERE m.message_id = c.message_id
  RETURNING m.message_id
), ${audited(t, 'mark delivered')}
SELECT count(*)::int AS n FROM changed`

/** Sends dead messages again, and settles those in doubt as told. Throws OperationError; see RedriveOptions. */
export async function redrive(
  db: Database,
  selection: Selection,
  options: RedriveOptions,
): Promise<RedriveReport> {
  checkOperation(selection, options)
  const { inDoubt } = options
  if (inDoubt !== undefined && inDoubt !== 'send-again' && inDoubt !== 'mark-delivered') {
    throw new OperationError(
      `inDoubt is "${inDoubt}".`,
      'Messages in doubt may be in Segment already.',
      'Choose "send-again" or "mark-delivered", or leave it out to leave them alone.',
    )
  }
  const t = db.tables
  const change = (sql: string, done: number) =>
    changeInChunks(db, sql, selection, options, selectionParameters(selection), done)
  const marked = inDoubt === 'mark-delivered' ? await change(markDeliveredSql(t), 0) : 0
  const which = inDoubt === 'send-again' ? `(${REFUSED} OR ${IN_DOUBT})` : REFUSED
  return { marked, redriven: await change(sendAgainSql(t, which), marked) }
}
