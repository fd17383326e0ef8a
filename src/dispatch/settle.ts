import type { Attempt, BatchOutcome } from '../../entities'
import type { Database } from '../database'
import { oncePerTables, planned } from '../planned'
import type { Tables } from '../tables'
import { appendAttempt, type Batch, writeAheadSql } from './batch'
import { firstPending, isOpen } from './first-of-source'
import { heldSql, inMs, type Lease, requireHeld } from './lease'
import type { BatchMessage, Page } from './next-messages'

/** An attempt's end, as it goes into the batch's history; the database adds when it began. */
export type AttemptEnd = Omit<Attempt, 'at'>

/** What becomes of a batch whose messages have all come to their end. */
export type Outcome = Exclude<BatchOutcome, 'split'>

interface Settled {
  held: boolean
  settled: number
  more: boolean
}

/** SQL: the attempt that was under way joins the history. `$4` is its end, NULL where there was none. */
const endAttempt = `
  attempt_started_at = NULL,
  attempt_count = b.attempt_count + CASE WHEN $4::jsonb IS NULL THEN 0 ELSE 1 END,
  attempts = CASE WHEN $4::jsonb IS NULL THEN b.attempts ELSE ${appendAttempt(
    'b.attempts',
    `(jsonb_build_object('at', b.attempt_started_at) || $4::jsonb)`,
  )} END`

/** SQL: the window does not start with an attempt that is known not to have been accepted. */
const keepEarlierAmbiguity = 'NULLIF(b.first_ambiguous_at, b.attempt_started_at)'

/**
 * SQL: whether an id is one of these. IS TRUE keeps the planner from looking for the messages by their ids, which it would
 * where the statistics say that much is pending.
 */
const among = (id: string, ids: string) => `(${id} IN (SELECT unnest(${ids}::uuid[]))) IS TRUE`

/**
 * Closes a batch: its messages, the batch and the source's state, in one statement that does nothing unless the
 * fencing token is still ours. Only pending messages change, so what an operator decided meanwhile stays. Repeated
 * after its answer was lost, it changes nothing, and counts what it settled the first time.
 *
 * And writes the next batch ahead, where one was read meanwhile: of those messages, the ones that still are to be sent;
 * none where one that goes before them has been committed since, which the next read finds. One commit for both halves
 * the commits of a drain. Repeated, it finds that batch open and forms no other. Or it gives the lease back, where the
 * turn has nothing to go on with.
 *
 * The messages are found by `seq`, where they lie side by side: by their ids, which lie anywhere in the index of all that is
 * stored, it took 12 µs more for each.
 */
const closeSql = (t: Tables) => `
WITH held AS (${heldSql(
  t,
  '$10',
  `lease_expires_at = CASE WHEN $12 THEN '-infinity' ELSE ${inMs('$9')} END,
      lease_owner = CASE WHEN $12 THEN NULL ELSE lease_owner END,
      failures = CASE WHEN $5 IN ('delivered', 'dead') THEN 0 ELSE failures END,
      last_error = CASE WHEN $5 IN ('delivered', 'dead') THEN NULL ELSE last_error END,
      last_delivered_at = CASE WHEN $5 = 'delivered' THEN clock_timestamp() ELSE last_delivered_at END,
      settled_through_seq = greatest(settled_through_seq, $8::bigint)`,
)}
), closed AS (
  UPDATE ${t.batch} b
  SET outcome = $5, settled_at = clock_timestamp(),
      first_ambiguous_at = CASE WHEN $5 = 'dead' THEN ${keepEarlierAmbiguity} ELSE b.first_ambiguous_at END,
      ${endAttempt}
  FROM held WHERE b.batch_id = $3::bigint AND b.outcome IS NULL
  RETURNING b.batch_id, b.settled_at, b.first_seq, b.last_seq
), settled AS (
  UPDATE ${t.message} m SET status = $5, reason = $6, batch_id = closed.batch_id, settled_at = closed.settled_at
  FROM closed
  WHERE m.source_id = $1 AND m.status = 'pending' AND m.seq BETWEEN closed.first_seq AND closed.last_seq
    AND ${among('m.message_id', '$7')}
  RETURNING m.message_id
), next AS (
  SELECT m.message_id, m.seq, m.wire_bytes, ${among('m.message_id', '$11')} AS chosen FROM ${t.message} m
  WHERE m.source_id = $1 AND m.status = 'pending' AND m.seq > $8::bigint AND m.seq <= $13::bigint
    AND NOT ${among('m.message_id', '$7')}
), written AS (${writeAheadSql(t, 'next', 'held h, closed')}
  WHERE h.current AND NOT ${isOpen(t, '$3::bigint')}
  GROUP BY h.source_id HAVING bool_and(c.chosen)
  RETURNING batch_id, message_ids
)
SELECT EXISTS (SELECT FROM held) AS held, ${isOpen(t, '$3::bigint')} AS more,
       CASE WHEN EXISTS (SELECT FROM closed) THEN (SELECT count(*)::int FROM settled)
            ELSE (SELECT count(*)::int FROM ${t.message} WHERE message_id = ANY ($7::uuid[]) AND batch_id = $3::bigint)
       END AS settled,
       w.batch_id::text AS "nextId",
       CASE WHEN w.message_ids <> $11::uuid[] THEN w.message_ids END AS "nextMessages",
       $12 AND (${firstPending(t, '$8::bigint', 'message_id <> ALL ($7::uuid[])')}) IS NOT NULL AS due
FROM (SELECT) one LEFT JOIN written w ON true`

const CLOSE_PARAMETERS =
  'uuid, bigint, bigint, jsonb, text, text, uuid[], bigint, bigint, integer, uuid[], boolean, bigint'
const CLOSE_COLUMNS =
  'held boolean, more boolean, settled integer, "nextId" text, "nextMessages" uuid[], due boolean'

export const closeBatchFunction = oncePerTables((t) =>
  planned(t.closeBatch, CLOSE_PARAMETERS.split(', '), CLOSE_COLUMNS.split(', '), closeSql(t)),
)

interface Closed extends Settled {
  nextId: string | null
  /** The messages of the next batch, where they are not all that were asked for. */
  nextMessages: string[] | null
  due: boolean
}

/**
 * The batch and all its messages have reached their end.
 *
 * @param end `ahead`: what is to be sent next; `release`: give the lease back
 * @returns `more`: whether other batches of the source are open; `next`: the batch that is written ahead; `due`: as of
 *   `releaseLease`
 */
export async function closeBatch(
  db: Database,
  lease: Lease,
  batch: Batch,
  end: {
    outcome: Outcome
    reason?: string
    attempt?: AttemptEnd
    settledThrough: string
    leaseMs: number
    ahead?: Page
    release?: boolean
  },
): Promise<{ more: boolean; settled: number; due: boolean; next?: Batch }> {
  const { ahead } = end
  const [row] = await db.query<Closed>(closeBatchFunction(db.tables).call, [
    lease.sourceId,
    lease.token,
    batch.batchId,
    end.attempt ? JSON.stringify(end.attempt) : null,
    end.outcome,
    end.reason ?? null,
    idsOf(batch),
    end.settledThrough,
    end.leaseMs,
    lease.keyVersion,
    ahead ? idsOf(ahead) : '{}',
    end.release === true,
    ahead?.messages.at(-1)?.seq ?? null,
  ])
  requireHeld(row?.held, lease)
  const { more = false, settled = 0, due = false, nextId, nextMessages } = row ?? {}
  if (!ahead || !nextId) return { more, settled, due }
  const messages = nextMessages === null ? ahead.messages : those(ahead.messages, nextMessages)
  return { more, settled, due, next: { batchId: nextId, messages, attempts: 0, expired: false, page: ahead } }
}

function those(messages: readonly BatchMessage[], ids: readonly string[] = []): readonly BatchMessage[] {
  const wanted = new Set(ids)
  return messages.filter(({ messageId }) => wanted.has(messageId))
}

/** An array's text, made at once: the driver would look at each id for what has to be escaped. */
function idsOf({ messages }: { messages: readonly BatchMessage[] }): string {
  return `{${messages.map(({ messageId }) => messageId).join()}}`
}

/**
 * Splits a refused batch into halves, both written ahead as open batches: bisecting survives a crash at any point,
 * and goes on in `seq` order. A half inherits the moment from which an earlier attempt may have been accepted.
 */
const splitSql = (t: Tables) => `
WITH held AS (
  UPDATE ${t.delivery} SET failures = 0, last_error = NULL WHERE source_id = $1 AND lease_token = $2::bigint
  RETURNING source_id
), closed AS (
  UPDATE ${t.batch} b
  SET outcome = 'split', settled_at = clock_timestamp(), first_ambiguous_at = ${keepEarlierAmbiguity}, ${endAttempt}
  FROM held WHERE b.batch_id = $3::bigint AND b.outcome IS NULL
  RETURNING b.batch_id, b.source_id, b.first_ambiguous_at
), halves AS (
  INSERT INTO ${t.batch} (parent_id, source_id, lease_token, message_ids, first_seq, last_seq, wire_bytes, first_ambiguous_at)
  SELECT c.batch_id, c.source_id, $2::bigint, array_agg(m.message_id ORDER BY m.seq), min(m.seq), max(m.seq),
         sum(m.wire_bytes), c.first_ambiguous_at
  FROM closed c, ${t.message} m
  WHERE m.message_id = ANY ($5::uuid[])
  GROUP BY c.batch_id, c.source_id, c.first_ambiguous_at, m.message_id = ANY ($6::uuid[])
  RETURNING batch_id
)
SELECT EXISTS (SELECT FROM held) AS held, (SELECT count(*)::int FROM halves) AS settled, true AS more`

export async function splitBatch(
  db: Database,
  lease: Lease,
  batch: Batch,
  attempt: AttemptEnd,
): Promise<void> {
  const ids = batch.messages.map((message: BatchMessage) => message.messageId)
  const [row] = await db.query<Settled>(splitSql(db.tables), [
    lease.sourceId,
    lease.token,
    batch.batchId,
    JSON.stringify(attempt),
    ids,
    ids.slice(0, Math.ceil(ids.length / 2)),
  ])
  requireHeld(row?.held, lease)
}

/**
 * SQL: the source rests, unless a person has saved another write key since the lease was taken: what failed with the
 * old one says nothing about the new one, which is to be tried at once.
 */
const restingSql = (t: Tables, parameter: { delayMs: string; reason: string; keyVersion: string }) => `
  UPDATE ${t.delivery} d
  SET failures = CASE WHEN s.write_key_version = ${parameter.keyVersion}::int THEN d.failures + 1 ELSE 0 END,
      last_failed_at = clock_timestamp(), last_error = ${parameter.reason},
      resume_at = CASE WHEN s.write_key_version = ${parameter.keyVersion}::int
                       THEN ${inMs(parameter.delayMs)}
                       ELSE '-infinity' END
  FROM ${t.source} s
  WHERE d.source_id = $1 AND d.lease_token = $2::bigint AND s.source_id = d.source_id
  RETURNING d.source_id`

/** The batch stays open, and the source rests: nothing of it is sent before `resume_at`. */
const postponeSql = (t: Tables) => `
WITH held AS (${restingSql(t, { delayMs: '$5', reason: '$6', keyVersion: '$8' })}
), postponed AS (
  UPDATE ${t.batch} b
  SET first_ambiguous_at = CASE WHEN $7 THEN b.first_ambiguous_at ELSE ${keepEarlierAmbiguity} END, ${endAttempt}
  FROM held WHERE b.batch_id = $3::bigint AND b.outcome IS NULL AND b.attempt_started_at IS NOT NULL
  RETURNING b.batch_id
)
SELECT EXISTS (SELECT FROM held) AS held, (SELECT count(*)::int FROM postponed) AS settled, true AS more`

export async function postponeBatch(
  db: Database,
  lease: Lease,
  batch: Batch,
  end: { attempt: AttemptEnd; delayMs: number; reason: string; ambiguous: boolean },
): Promise<void> {
  const { attempt, delayMs, reason, ambiguous } = end
  const [row] = await db.query<Settled>(postponeSql(db.tables), [
    lease.sourceId,
    lease.token,
    batch.batchId,
    JSON.stringify(attempt),
    Math.round(delayMs),
    reason,
    ambiguous,
    lease.keyVersion,
  ])
  requireHeld(row?.held, lease)
}

/** The source cannot be sent for now, and no batch is touched: its write key does not decrypt, or a statement failed. */
const restSql = (t: Tables) => `
WITH held AS (${restingSql(t, { delayMs: '$3', reason: '$4', keyVersion: '$5' })}
)
SELECT EXISTS (SELECT FROM held) AS held`

export async function restSource(db: Database, lease: Lease, delayMs: number, reason: string): Promise<void> {
  const parameters = [lease.sourceId, lease.token, Math.round(delayMs), reason, lease.keyVersion]
  await db.query(restSql(db.tables), parameters)
}
