import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { MessageStatus } from '../../entities'
import type { Database } from '../database'
import { OperationError } from '../errors'
import type { Tables } from '../tables'
import { audited, CHUNK, type Progress } from './audited-change'
import { checkResponsibility, type Responsibility } from './selection'
import { leasedSql, underLease } from './source-lease'

/**
 * Whose data is to be erased: exactly one of `userId` and `anonymousId`. A visitor who later registered has both, and
 * what was recorded before that names the anonymous one only: erase both.
 */
export interface Person {
  userId?: string
  anonymousId?: string
  /** In this portal only. Default: in all. */
  portalId?: string
}

export interface EraseOptions extends Responsibility, Progress {}

export interface EraseReport {
  /** Messages whose data is gone, by the status they had. */
  readonly erased: Readonly<Record<MessageStatus, number>>
  /**
   * Pending messages that still hold their data: their source was being sent for all the while, or the signal ended
   * it. Not 0: erase again.
   */
  readonly left: number
  /** Earlier audit entries whose selection named the person. */
  readonly auditEntries: number
}

const text = z.string().min(1)
const schema = z
  .strictObject({ userId: text.optional(), anonymousId: text.optional(), portalId: text.optional() })
  .refine((who) => (who.userId === undefined) !== (who.anonymousId === undefined))

/** SQL: the person's messages `m`. Their index needs the column compared with nothing but the parameter. */
const theirs = (column: Column) => `m.${column} = $5::text AND ($6::text IS NULL OR m.portal_id = $6::text)`
type Column = 'user_id' | 'anonymous_id'

/**
 * Ids, times, event names, sizes and states stay: what was counted yesterday is counted tomorrow, and the same fact
 * recorded again is still the same message. Everything that was recorded of a person goes: the body, the ids, the
 * trace; and texts in which Segment's answer may have echoed it: the reason, and the errors of its batches.
 *
 * What was not delivered ends `discarded`, since there is nothing left that could be sent.
 */
const eraseSql = (t: Tables, which: string) => `
WITH chosen AS (
  SELECT m.message_id, m.status, m.batch_id, m.source_id FROM ${t.message} m WHERE ${which} LIMIT $4 FOR UPDATE OF m
), doubted AS (
  SELECT DISTINCT ON (c.message_id) c.message_id, o.batch_id, o.first_ambiguous_at FROM chosen c
  JOIN ${t.batch} o ON o.source_id = c.source_id AND o.outcome IS NULL AND c.message_id = ANY (o.message_ids)
  WHERE c.status = 'pending'
), changed AS (
  UPDATE ${t.message} m
  SET body = '{}', user_id = NULL, anonymous_id = NULL, trace_parent = NULL, erased_at = clock_timestamp(),
      status = CASE WHEN m.status = 'delivered' THEN 'delivered' ELSE 'discarded' END,
      settled_at = coalesce(m.settled_at, clock_timestamp()),
      reason = CASE
        WHEN m.status = 'delivered' THEN CASE WHEN m.reason IS NOT NULL THEN 'marked delivered; erased' END
        WHEN m.status = 'pending' AND d.first_ambiguous_at IS NULL THEN 'erased before it was sent'
        WHEN m.status = 'pending' THEN 'erased while Segment may have had it since ' || d.first_ambiguous_at
        ELSE 'erased; it was ' || m.status END
  FROM chosen c LEFT JOIN doubted d USING (message_id)
  WHERE m.message_id = c.message_id
  RETURNING m.message_id
), batches(batch_id) AS (
  SELECT batch_id FROM chosen WHERE batch_id IS NOT NULL UNION SELECT batch_id FROM doubted
  UNION
  SELECT b.batch_id FROM (SELECT source_id, array_agg(message_id) AS ids FROM chosen GROUP BY 1) c
  JOIN ${t.batch} b ON b.source_id = c.source_id AND b.message_ids && c.ids
  WHERE b.outcome IN ('split', 'dead', 'uncertain', 'discarded')
), cleaned AS (
  UPDATE ${t.batch} b SET attempts = (
    SELECT jsonb_agg(CASE WHEN a.attempt ? 'error' THEN a.attempt || '{"error": "erased"}' ELSE a.attempt END ORDER BY a.place)
    FROM jsonb_array_elements(b.attempts) WITH ORDINALITY AS a(attempt, place))
  FROM batches x WHERE b.batch_id = x.batch_id AND b.attempts @? '$[*].error'
), ${audited(t, 'erase')}
SELECT c.status, count(*)::int AS n FROM chosen c JOIN changed USING (message_id) GROUP BY c.status`

const pendingSourcesSql = (t: Tables, column: Column) => `
SELECT DISTINCT m.source_id AS id FROM ${t.message} m
WHERE m.status = 'pending' AND m.${column} = $1::text AND ($2::text IS NULL OR m.portal_id = $2::text)`

const leftSql = (t: Tables, column: Column) => `
SELECT count(*)::int AS n FROM ${t.message} m
WHERE m.status = 'pending' AND m.${column} = $1::text AND ($2::text IS NULL OR m.portal_id = $2::text)`

/** Selections that name the person name nobody then; and that it was asked for is on record, also if nothing was found. */
const auditSql = (t: Tables, member: 'userId' | 'anonymousId') => `
WITH cleaned AS (
  UPDATE ${t.audit} SET selection = selection - '${member}' || $3::jsonb
  WHERE selection ->> '${member}' = $4 AND ($5::text IS NULL OR coalesce(selection ->> 'portalId', $5) = $5)
  RETURNING 1
), asked AS (
  INSERT INTO ${t.audit} (actor, reason, selection, messages, action)
  SELECT $1, $2, $3::jsonb, 0, 'erase' WHERE $6
)
SELECT count(*)::int AS n FROM cleaned`

/**
 * Erases what was recorded of a person; see EraseReport. In chunks, and to be repeated: erased rows name nobody, and
 * are not found again. Pending messages are taken out under their source's lease, so that none of them is sent later;
 * a request that is out at that moment is waited for. Throws OperationError where person or options are no good.
 */
export async function erase(db: Database, person: Person, options: EraseOptions): Promise<EraseReport> {
  checkResponsibility(options)
  const { column, member, id, portalId } = checked(person)
  const t = db.tables
  const selection = JSON.stringify({
    [`${member}Sha256`]: digest(id),
    ...(portalId === null ? {} : { portalId }),
  })
  const erased = { pending: 0, delivered: 0, dead: 0, uncertain: 0, discarded: 0 }
  const { actor, reason, signal, onProgress } = options

  const inChunks = async (which: string, parameters: readonly unknown[]) => {
    const sql = eraseSql(t, which)
    for (let n = CHUNK; n === CHUNK && !signal?.aborted; ) {
      const all = [actor, reason, selection, CHUNK, id, portalId, ...parameters]
      const rows = await db.query<{ status: MessageStatus; n: number }>(sql, all)
      n = 0
      for (const row of rows) {
        erased[row.status] += row.n
        n += row.n
      }
      if (n > 0) onProgress?.(total(erased))
    }
  }
  const settled = `${theirs(column)} AND m.status <> 'pending'`
  await inChunks(settled, [])
  for (const source of await db.query<{ id: string }>(pendingSourcesSql(t, column), [id, portalId])) {
    const pending = `${theirs(column)} AND m.status = 'pending' AND ${leasedSql(t, '$7', '$8')}`
    if (signal?.aborted) break
    await underLease(db, source.id, `erase by ${actor}`, (token) => inChunks(pending, [source.id, token]))
  }
  await inChunks(settled, []) // what was settled while the leases were waited for
  const [left] = await db.query<{ n: number }>(leftSql(t, column), [id, portalId])
  const none = total(erased) === 0
  const [cleaned] = await db.query<{ n: number }>(auditSql(t, member), [
    actor,
    reason,
    selection,
    id,
    portalId,
    none,
  ])
  return { erased, left: left?.n ?? 0, auditEntries: cleaned?.n ?? 0 }
}

function checked(person: Person) {
  if (!schema.safeParse(person).success) {
    throw new OperationError(
      'It is not said whose data to erase.',
      'Erased data cannot be brought back.',
      'Pass `{ userId }` or `{ anonymousId }`, one of them, with a `portalId` if it is for one portal only.',
    )
  }
  const { userId, anonymousId, portalId = null } = person
  return userId === undefined
    ? { column: 'anonymous_id' as const, member: 'anonymousId' as const, id: anonymousId as string, portalId }
    : { column: 'user_id' as const, member: 'userId' as const, id: userId, portalId }
}

/** Who holds the id can tell whether it was erased; the audit alone names nobody. */
function digest(id: string): string {
  return createHash('sha256').update(id).digest('hex')
}

function total(erased: EraseReport['erased']): number {
  return Object.values(erased).reduce((sum, n) => sum + n, 0)
}
