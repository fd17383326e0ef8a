import type { DataSource, EntityManager } from 'typeorm'
import type { MessageStatus, MessageType } from '../../entities'
import { tableNames } from '../tables'

/** A recorded call, as Segment will get it. Members that the call does not have are not there. */
export interface RecordedCall {
  readonly type: MessageType
  readonly portalId: string
  readonly event?: string
  readonly userId?: string
  readonly anonymousId?: string
  readonly groupId?: string
  readonly name?: string
  readonly category?: string
  readonly properties?: Readonly<Record<string, unknown>>
  readonly traits?: Readonly<Record<string, unknown>>
  readonly context?: Readonly<Record<string, unknown>>
  readonly integrations?: Readonly<Record<string, unknown>>
  /** When it happened, ISO 8601. */
  readonly timestamp: string
  readonly messageId: string
  /** `pending` until it is sent. `dead` at once for a call that cannot be sent: it was diverted. */
  readonly status: MessageStatus
  /** Why it is dead, uncertain or discarded. */
  readonly reason?: string
}

/** Which calls to tell of. All that is given has to match. */
export interface RecordedFilter {
  portalId?: string
  type?: MessageType
  event?: string
  userId?: string
  status?: MessageStatus
}

/**
 * The calls in the outbox, in the order they were recorded. Through a transaction's manager its own uncommitted ones
 * are among them; see `recordedIn` for those alone.
 */
export async function recorded(
  from: DataSource | EntityManager,
  filter: RecordedFilter = {},
): Promise<RecordedCall[]> {
  return read('manager' in from ? from.manager : from, filter)
}

/**
 * The calls that this very transaction has recorded so far, in their order, whatever else is in the table. For tests
 * that run in a transaction and roll it back, and for asserting on a service inside its own.
 *
 * @param tx the manager of the open transaction. Throws an Error for any other.
 */
export async function recordedIn(tx: EntityManager, filter: RecordedFilter = {}): Promise<RecordedCall[]> {
  if (!tx.queryRunner?.isTransactionActive) {
    throw new Error(
      'recordedIn was given a manager without an open transaction. There is nothing that it alone has recorded. ' +
        'Pass the `tx` of `dataSource.transaction(async (tx) => { … })`, or use recorded(dataSource).',
    )
  }
  return read(tx, filter, `AND EXISTS (${OWN})`)
}

/**
 * SQL: a row that this statement sees although its transaction is still in progress is that transaction's own. Those of
 * its savepoints have later ids than its own, which is the earliest. A row keeps the lower 32 bits of the id that
 * wrote it: `since` is the distance from there, as PostgreSQL itself reckons it.
 */
const OWN = `
  SELECT FROM (SELECT pg_current_xact_id_if_assigned()::text::bigint AS id) own,
    LATERAL (SELECT ((m.xmin::text::bigint - own.id + 2147483648) & 4294967295) - 2147483648 AS since) distance
  WHERE CASE WHEN since >= 0 THEN pg_xact_status((own.id + since)::text::xid8) = 'in progress' END`

type Row = Pick<RecordedCall, 'messageId' | 'portalId' | 'status'> & {
  reason: string | null
  body: Omit<RecordedCall, 'messageId' | 'portalId' | 'status' | 'reason'>
}

async function read(manager: EntityManager, filter: RecordedFilter, own = ''): Promise<RecordedCall[]> {
  const { connection } = manager // the name that TypeORM 0.3 and 1.x share
  const { schema } = connection.entityMetadatas.find(({ tableName }) => tableName === 'outbox_message') ?? {}
  const { portalId, type, event, userId, status } = filter
  const rows: Row[] = await manager.query(
    `SELECT m.message_id AS "messageId", m.portal_id AS "portalId", m.status, m.reason, m.body
     FROM ${tableNames(connection, schema).message} m
     WHERE ($1::text IS NULL OR m.portal_id = $1) AND ($2::text IS NULL OR m.type = $2)
       AND ($3::text IS NULL OR m.event = $3) AND ($4::text IS NULL OR m.user_id = $4)
       AND ($5::text IS NULL OR m.status = $5) ${own}
     ORDER BY m.seq`,
    [portalId, type, event, userId, status].map((value) => value ?? null),
  )
  return rows.map(({ body, reason, ...row }) => ({ ...body, ...row, ...(reason === null ? {} : { reason }) }))
}
