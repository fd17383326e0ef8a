import type { Database } from '../../database'
import { OperationError } from '../../errors'
import { checkDate, checkLimit, checkOneOf, checkText, checkUuid, isUuid } from './check-input'
import { decodeCursor, encodeCursor, microsSql, momentSql, type Position } from './cursor'
import type { MessageFilter, MessagePage, MessageRow, PageOptions } from './types'

/** Rows that one look reads at most, where what is asked for has no index of its own. */
const READ_LIMIT = 2000
const MAX_IDS = 1000
const STATUSES = ['pending', 'delivered', 'dead', 'uncertain', 'discarded']
const TYPES = ['identify', 'track', 'page', 'group']
/** Statuses that the indexes of failed messages hold. */
const FAILED = ['dead', 'uncertain', 'discarded']

type Row = MessageRow & Position & { read: number; lastMicros: string | null; lastId: string | null }

interface Way {
  /**
   * SQL conditions that an index knows, one for each walk; empty for the index on `recorded_at` alone. A person takes
   * two walks: what names them as a user, and what as an anonymous visitor.
   */
  readonly walks: readonly string[]
  /** SQL conditions that rows on the way are compared with. */
  readonly rest: readonly string[]
}

/**
 * Messages, newest first. A page is one walk backwards along one index: the one of what is most particular in the
 * filter. What that index does not know is compared on the way, for at most `READ_LIMIT` rows: `partial` says so.
 */
export async function listMessages(
  db: Database,
  filter: MessageFilter = {},
  page: PageOptions = {},
): Promise<MessagePage> {
  checkFilter(filter)
  const limit = checkLimit(page.limit, 50, 500)
  const after = page.after === undefined ? undefined : decodeCursor(page.after)
  const parameters: unknown[] = []
  const given = (value: unknown, type: string) => `$${parameters.push(value)}::${type}`

  const { walks, rest } = await chooseWay(db, filter, given)
  const bounds = [
    ...(filter.recordedFrom ? [`m.recorded_at >= ${given(filter.recordedFrom, 'timestamptz')}`] : []),
    ...(filter.recordedTo ? [`m.recorded_at < ${given(filter.recordedTo, 'timestamptz')}`] : []),
    ...(after ? [beforeSql(given(after.micros, 'text'), given(after.messageId, 'uuid'))] : []),
  ]
  const reads = rest.length === 0 ? limit + 1 : READ_LIMIT
  const sql = pageSql(db.tables.message, { walks, rest, bounds, reads, limit: limit + 1 })
  const rows = await db.query<Row>(sql, parameters)
  return toPage(rows, limit, reads)
}

/** Compared as a row, so that the index on `recorded_at` is entered at the moment itself. */
const beforeSql = (micros: string, messageId: string) =>
  `(m.recorded_at, m.message_id) < (${momentSql(micros)}, ${messageId})`

function pageSql(
  message: string,
  { walks, rest, bounds, reads, limit }: Way & { bounds: readonly string[]; reads: number; limit: number },
): string {
  const newestFirst = 'ORDER BY m.recorded_at DESC, m.message_id DESC'
  const seen = walks.map((walk) => {
    const where = [walk, ...bounds].filter((condition) => condition !== '').join(' AND ') || 'true'
    return `(SELECT m.message_id, m.recorded_at, m.settled_at, m.erased_at, m.source_id, m.portal_id, m.type, m.event,
          m.user_id, m.anonymous_id, m.status, m.reason
   FROM ${message} m WHERE ${where} ${newestFirst} LIMIT ${reads})`
  })
  return `
WITH seen AS MATERIALIZED (
  SELECT * FROM (${seen.join('\n  UNION ALL\n  ')}) m ${newestFirst} LIMIT ${reads}
), last AS (
  SELECT ${microsSql('recorded_at')} AS micros, message_id FROM seen ORDER BY recorded_at, message_id LIMIT 1
), found AS (
  SELECT * FROM seen m WHERE ${rest.join(' AND ') || 'true'} ${newestFirst} LIMIT ${limit}
)
SELECT m.message_id AS "messageId", m.recorded_at AS "recordedAt", m.settled_at AS "settledAt",
       m.erased_at AS "erasedAt", m.source_id AS "sourceId", m.portal_id AS "portalId", m.type, m.event,
       coalesce(m.user_id, m.anonymous_id) AS who, m.status, m.reason, ${microsSql('m.recorded_at')} AS micros,
       (SELECT count(*)::int FROM seen) AS read, last.micros AS "lastMicros", last.message_id AS "lastId"
FROM (SELECT) one LEFT JOIN last ON true LEFT JOIN found m ON true
${newestFirst}`
}

function toPage(rows: readonly Row[], limit: number, reads: number): MessagePage {
  const found = rows.filter((row) => row.messageId !== null)
  const messages = found.slice(0, limit).map(({ micros, read, lastMicros, lastId, ...message }) => message)
  const last = found[limit - 1]
  if (found.length > limit && last) return { messages, next: encodeCursor(last), partial: false }
  const [first] = rows
  const more = reads > limit + 1 && first !== undefined && first.read === reads
  if (!more) return { messages, next: undefined, partial: false }
  const end = { micros: first.lastMicros as string, messageId: first.lastId as string }
  return { messages, next: encodeCursor(end), partial: true }
}

async function chooseWay(
  db: Database,
  filter: MessageFilter,
  given: (value: unknown, type: string) => string,
): Promise<Way> {
  const { messageIds, who, sourceId, event, type } = filter
  const portalId = filter.portalId ?? (sourceId === undefined ? undefined : await portalOf(db, sourceId))
  const rest = [
    ...(sourceId === undefined ? [] : [`m.source_id = ${given(sourceId, 'uuid')}`]),
    ...(event === undefined ? [] : [`m.event = ${given(event, 'text')}`]),
    ...(type === undefined ? [] : [`m.type = ${given(type, 'text')}`]),
  ]
  // One of five words, checked, and written out: the planner has to see that a partial index covers it.
  const status = filter.status === undefined ? [] : [`m.status = '${filter.status}'`]
  const portal = portalId === undefined ? [] : [`m.portal_id = ${given(portalId, 'text')}`]

  if (messageIds !== undefined) {
    const walk = `m.message_id = ANY (${given(messageIds, 'uuid[]')})`
    const person = who === undefined ? undefined : given(who, 'text')
    const named = person === undefined ? [] : [`(m.user_id = ${person} OR m.anonymous_id = ${person})`]
    return { walks: [walk], rest: [...named, ...portal, ...status, ...rest] }
  }
  if (who !== undefined) {
    const person = given(who, 'text')
    const anonymous = `m.anonymous_id = ${person} AND m.user_id IS DISTINCT FROM ${person}`
    return { walks: [`m.user_id = ${person}`, anonymous], rest: [...portal, ...status, ...rest] }
  }
  const hasFailed = filter.status !== undefined && FAILED.includes(filter.status)
  return hasFailed
    ? { walks: [[...portal, ...status].join(' AND ')], rest }
    : { walks: [portal.join('')], rest: [...status, ...rest] }
}

/** Messages are found by portal: few sources share one, and an index more would cost each message. */
async function portalOf(db: Database, sourceId: string): Promise<string | undefined> {
  const sql = `SELECT portal_id AS "portalId" FROM ${db.tables.source} WHERE source_id = $1`
  const [source] = await db.query<{ portalId: string }>(sql, [sourceId])
  return source?.portalId
}

function checkFilter(filter: MessageFilter): void {
  for (const name of ['portalId', 'who', 'event'] as const) checkText(name, filter[name])
  checkUuid('sourceId', filter.sourceId)
  checkOneOf('status', filter.status, STATUSES)
  checkOneOf('type', filter.type, TYPES)
  for (const name of ['recordedFrom', 'recordedTo'] as const) checkDate(name, filter[name])
  const { messageIds } = filter
  if (messageIds !== undefined && (messageIds.length > MAX_IDS || !messageIds.every(isUuid))) {
    throw new OperationError(
      `\`messageIds\` is not a list of at most ${MAX_IDS} UUIDs.`,
      'Nothing was looked for.',
      'Pass the ids as `record` gave them, in several calls where they are more.',
    )
  }
}
