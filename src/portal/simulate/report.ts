import { messageId } from 'synap-outbox'
import type { LocalSegment } from 'synap-outbox/testing'
import type { DataSource } from 'typeorm'
import type { PortalOutbox } from '../context'
import type { SeededPortal } from '../seed'
import type { Played } from './scenario'
import { STUDENT_DOMAIN } from './student'

/** What became of a run's events. All zeros where it matters: `lost`, `duplicates`, `leakedFromRollback`. */
export interface DeliveryReport {
  /** Message rows. */
  recorded: number
  /** Message rows that ended `delivered`. */
  delivered: number
  /** Messages that reached a workspace. */
  accepted: number
  /** Messages that arrived more than once, whether or not Segment dropped the repetition. */
  duplicates: number
  /** Business facts, and recorded calls, that no workspace has. */
  lost: number
  /** Messages that no committed row stands for, and any of a rolled-back transaction. */
  leakedFromRollback: number
  /** The same by event name, or by type for identify, page and group. */
  events: Record<string, { recorded: number; accepted: number; lost: number }>
}

/** Each event's facts by their natural keys, told by the portal's own tables and not by the outbox. */
const FACTS: Record<string, string> = {
  'User Registered': `SELECT ARRAY[id::text] AS key FROM portal_user WHERE portal_id = $1 AND email LIKE '%@${STUDENT_DOMAIN}'`,
  'User Logged In': 'SELECT ARRAY[id::text] AS key FROM portal_session WHERE portal_id = $1',
  'User Session Restored': `SELECT ARRAY[id::text, n::text] AS key FROM portal_session, generate_series(1, restore_count) n
                            WHERE portal_id = $1`,
  'Collection Item Viewed':
    'SELECT ARRAY[id::text] AS key FROM portal_collection_item_view WHERE portal_id = $1',
  'Assignment Started': 'SELECT ARRAY[id::text] AS key FROM portal_assignment_start WHERE portal_id = $1',
  'Began Test': 'SELECT ARRAY[id::text] AS key FROM portal_test_attempt WHERE portal_id = $1',
  'Submitted Test':
    'SELECT ARRAY[id::text] AS key FROM portal_test_attempt WHERE portal_id = $1 AND submitted_at IS NOT NULL',
  'Completed Test':
    'SELECT ARRAY[id::text] AS key FROM portal_test_attempt WHERE portal_id = $1 AND completed_at IS NOT NULL',
  'Question Answered': `SELECT ARRAY[attempt_id::text, question_id::text, n::text] AS key
                        FROM portal_question_answer, generate_series(1, revision) n WHERE portal_id = $1`,
  'Exam User Registered': 'SELECT ARRAY[id::text] AS key FROM portal_exam_registration WHERE portal_id = $1',
}

/** Compares the business tables and the outbox with what the local Segment accepted. */
export async function reportDelivery(
  dataSource: DataSource,
  outbox: PortalOutbox,
  segment: LocalSegment,
  { portals, rolledBack }: Played,
): Promise<DeliveryReport> {
  const expected = new Map<string, string>()
  for (const portal of portals) {
    for (const [id, name] of await expectedOf(dataSource, outbox, portal)) expected.set(id, name)
  }
  const rows: { status: string; n: number }[] = await dataSource.query(
    'SELECT status, count(*)::int AS n FROM outbox_message WHERE portal_id = ANY ($1) GROUP BY status',
    [portals.map((portal) => portal.portalId)],
  )
  const accepted = segment.accepted()
  const arrived = new Map(accepted.map((message) => [message.messageId, message.event ?? message.type]))
  const report: DeliveryReport = {
    recorded: rows.reduce((sum, row) => sum + row.n, 0),
    delivered: rows.find((row) => row.status === 'delivered')?.n ?? 0,
    accepted: accepted.length,
    duplicates: segment.duplicates().length + accepted.length - arrived.size,
    lost: [...expected.keys()].filter((id) => !arrived.has(id)).length,
    leakedFromRollback: [...new Set([...arrived.keys(), ...rolledBack])].filter(
      (id) => arrived.has(id) && (rolledBack.includes(id) || !expected.has(id)),
    ).length,
    events: {},
  }
  for (const [id, name] of expected) {
    report.events[name] ??= { recorded: 0, accepted: 0, lost: 0 }
    const event = report.events[name]
    event.recorded++
    if (arrived.has(id)) event.accepted++
    else event.lost++
  }
  return report
}

/** Whether every committed event was accepted exactly once, and nothing else arrived. */
export function isExactlyOnce(report: DeliveryReport): boolean {
  const counted = Object.values(report.events).reduce((sum, event) => sum + event.recorded, 0)
  return (
    report.lost + report.duplicates + report.leakedFromRollback === 0 &&
    report.recorded === report.delivered &&
    report.recorded === report.accepted &&
    report.recorded === counted
  )
}

/** The messages that a portal's workspace has to have: by the business tables, and by the outbox where those say nothing. */
async function expectedOf(
  dataSource: DataSource,
  outbox: PortalOutbox,
  { portalId }: SeededPortal,
): Promise<Map<string, string>> {
  const expected = new Map<string, string>()
  const source = await outbox.sources.ofPortal(portalId)
  if (!source) return expected
  for (const [event, facts] of Object.entries(FACTS)) {
    if (event === 'Question Answered' && !source.detailedEvents) continue
    const keys: { key: string[] }[] = await dataSource.query(facts, [portalId])
    for (const { key } of keys) expected.set(messageId(source.sourceId, event, key), event)
  }
  const calls: { id: string; type: string }[] = await dataSource.query(
    `SELECT message_id AS id, type FROM outbox_message WHERE portal_id = $1 AND type <> 'track'`,
    [portalId],
  )
  for (const { id, type } of calls) expected.set(id, type)
  return expected
}
