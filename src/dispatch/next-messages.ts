import type { MessageType } from '../../entities'
import type { Database } from '../database'
import { oncePerTables, planned } from '../planned'
import type { Tables } from '../tables'
import type { Lease } from './lease'
import type { LowWaterMark } from './low-water-mark'

export interface BatchMessage {
  readonly messageId: string
  readonly seq: string
  readonly type: MessageType
  /** Trace in which it was recorded. */
  readonly traceParent: string | null
  /** The call as recorded: a JSON object's text. */
  readonly body: string
}

/** The messages that were next at the moment of a read. */
export interface Page {
  readonly messages: readonly BatchMessage[]
  /** What the low-water mark may move to once these are settled, and all that was out before them. */
  readonly settledThrough: bigint | undefined
  /** Whether the read ended at a limit: there may be more. */
  readonly more: boolean
}

export interface PageLimits {
  readonly batchMessages: number
  readonly batchBytes: number
}

/** A message's columns in the rows of a statement; all are empty where there is none. */
export interface MessageRow {
  messageId: string | null
  seq: string
  type: MessageType
  traceParent: string | null
  body: string
}

/** A row of a statement that reads a page. */
export interface PageRow extends MessageRow {
  horizon: string
  passed: boolean | null
  read: number
}

/**
 * SQL: the source's next messages by `seq`, as far as the byte limit allows: the read stops at the first message that
 * would pass it, and holds at least one.
 *
 * @param from number of the first of four parameters: the `seq` to start above, the limits in messages and bytes, the
 *   mark's horizon. `$1` is the source.
 * @param where SQL: what else has to hold
 */
export const nextSql = (t: Tables, from: number, where = 'true') => `
next AS MATERIALIZED (
  SELECT message_id, seq, wire_bytes, type, trace_parent, body FROM ${t.message}
  WHERE source_id = $1 AND status = 'pending' AND seq > $${from}::bigint AND ${where}
  ORDER BY seq LIMIT $${from + 1}
), chosen AS MATERIALIZED (
  SELECT message_id, seq, wire_bytes, type, trace_parent, body
  FROM (SELECT *, sum(wire_bytes) OVER w AS bytes, row_number() OVER w AS place FROM next WINDOW w AS (ORDER BY seq)) n
  WHERE bytes <= $${from + 2} OR place = 1
)`

const MESSAGE_COLUMNS = ['"messageId" uuid', 'seq text', 'type text', '"traceParent" text', 'body text']

/** What `pageColumns` are called, with their types. */
export const PAGE_COLUMNS = ['horizon text', 'passed boolean', 'read integer', ...MESSAGE_COLUMNS]

/** Types of the parameters that `nextSql` takes. */
export const PAGE_PARAMETERS = ['bigint', 'integer', 'bigint', 'xid8']

/** SQL: the columns of `PageRow`, from `chosen c`. The driver would parse jsonb, for nobody. */
export const pageColumns = (from: number) => `
pg_current_xact_id()::text AS horizon, pg_snapshot_xmin(pg_current_snapshot()) >= $${from + 3}::xid8 AS passed,
(SELECT count(*)::int FROM next) AS read, ${messageColumns('c')}`

export const messageColumns = (of: string) => `
${of}.message_id AS "messageId", ${of}.seq::text AS seq, ${of}.type, ${of}.trace_parent AS "traceParent",
${of}.body::text AS body`

export function pageParameters(mark: LowWaterMark, limits: PageLimits, above = mark.value): unknown[] {
  return [above, limits.batchMessages, limits.batchBytes, mark.horizon]
}

export function messagesOf(rows: readonly MessageRow[]): BatchMessage[] {
  return rows.flatMap(({ messageId, seq, type, traceParent, body }) =>
    messageId === null ? [] : [{ messageId, seq, type, traceParent, body }],
  )
}

/** The page that a statement has read, noted by the mark; undefined where nothing is pending above it. */
export function toPage(
  rows: readonly PageRow[],
  mark: LowWaterMark,
  { batchMessages }: PageLimits,
): Page | undefined {
  const messages = messagesOf(rows)
  const [first, last] = [rows[0], messages.at(-1)]
  if (first === undefined || last === undefined) return undefined
  const settledThrough = mark.read(last.seq, first.horizon, first.passed === true)
  return { messages, settledThrough, more: first.read === batchMessages || first.read > messages.length }
}

const readAheadSql = (t: Tables) => `
WITH ${nextSql(t, 3, `EXISTS (SELECT FROM ${t.delivery} WHERE source_id = $1 AND lease_token = $2::bigint)`)}
SELECT ${pageColumns(3)} FROM chosen c ORDER BY c.seq`

export const readAheadFunction = oncePerTables((t) =>
  planned(t.readAhead, ['uuid', 'bigint', ...PAGE_PARAMETERS], PAGE_COLUMNS, readAheadSql(t)),
)

/**
 * Reads what comes after a page that is out, or about to be, and changes nothing. `closeBatch` writes it ahead, if all
 * goes well, in the statement that settles the batch before it.
 *
 * Order (I7) is kept there: what has been committed with a lower `seq` meanwhile is not found here, and nothing is
 * written ahead then. So the mark, too, may build on this read once its messages are out.
 */
export async function readAhead(
  db: Database,
  lease: Lease,
  mark: LowWaterMark,
  limits: PageLimits,
  { messages }: Page,
): Promise<Page | undefined> {
  const parameters = [lease.sourceId, lease.token, ...pageParameters(mark, limits, messages.at(-1)?.seq)]
  return toPage(await db.query<PageRow>(readAheadFunction(db.tables).call, parameters), mark, limits)
}
