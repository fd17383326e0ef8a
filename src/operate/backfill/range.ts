import type { EntityManager } from 'typeorm'
import type { Database } from '../../database'
import { OperationError } from '../../errors'
import type { EventDefinition } from '../../plan/define-plan'
import type { Tables } from '../../tables'
import type { BackfillReport } from './types'

/** A range of one event's history that belongs to one source, and how far it is. */
export interface Range extends BackfillReport {
  /** The cursor that the next page starts after. */
  readonly readThrough: string | null
}

interface Source {
  sourceId: string
  createdAt: Date
  detailedEvents: boolean
  /** The range that is asked for, with its defaults; microseconds, which a Date would lose. */
  from: string
  to: string
  within: boolean
}

export const rangeColumns = `b.source_id AS "sourceId", b.event, b.from_at AS "from", b.to_at AS "to",
  b.recorded::float8 AS recorded, b.duplicates::float8 AS duplicates, b.diverted::float8 AS diverted,
  b.finished_at IS NOT NULL AS finished, b.read_through AS "readThrough"`

/** The row is locked so that two callers cannot open ranges that overlap, each unaware of the other's. */
const sourceSql = (t: Tables) => `
SELECT source_id AS "sourceId", created_at AS "createdAt", detailed_events AS "detailedEvents",
       coalesce($2::timestamptz, 'epoch')::text AS "from", coalesce($3::timestamptz, created_at)::text AS "to",
       coalesce($3::timestamptz, created_at) <= created_at
         AND coalesce($2::timestamptz, 'epoch') < coalesce($3::timestamptz, created_at) AS within
FROM ${t.source} WHERE portal_id = $1 AND status <> 'disabled'
FOR NO KEY UPDATE`

const overlappingSql = (t: Tables) => `
SELECT ${rangeColumns}, b.from_at = $3::timestamptz AND b.to_at = $4::timestamptz AS same FROM ${t.backfill} b
WHERE b.source_id = $1 AND b.event = $2 AND b.from_at < $4::timestamptz AND b.to_at > $3::timestamptz`

const openSql = (t: Tables) => `
INSERT INTO ${t.backfill} AS b (source_id, event, from_at, to_at) VALUES ($1, $2, $3::timestamptz, $4::timestamptz)
RETURNING ${rangeColumns}`

/**
 * Opens a range of the portal's history, or takes up the one that was opened before. Throws OperationError where
 * recording it could double what was recorded live or by another backfill, whose rows may have been pruned since.
 */
export async function openRange(
  db: Database,
  event: { name: string; definition: EventDefinition },
  { portalId, from, to }: { portalId: string; from?: Date; to?: Date },
): Promise<Range> {
  const t = db.tables
  return db.dataSource.transaction(async (tx) => {
    const source = await lockSource(tx, t, portalId, from, to)
    if (event.definition.detailed && !source.detailedEvents) throw detailedOff(event.name, portalId)
    const asked = [source.sourceId, event.name, source.from, source.to]
    const overlapping: (Range & { same: boolean })[] = await tx.query(overlappingSql(t), asked)
    const { same, ...other } = overlapping.find((range) => range.same) ?? overlapping[0] ?? {}
    if (same) return other as Range
    if (same === false) throw overlaps(event.name, portalId, other as Range)
    const [opened]: Range[] = await tx.query(openSql(t), asked)
    return opened as Range
  })
}

async function lockSource(
  tx: EntityManager,
  t: Tables,
  portalId: string,
  from?: Date,
  to?: Date,
): Promise<Source> {
  const [source]: Source[] = await tx.query(sourceSql(t), [portalId, from ?? null, to ?? null])
  if (!source) {
    throw new OperationError(
      `The portal ${portalId} has no active source.`,
      'History is recorded for a source, under messageIds of its own.',
      'Connect the portal to Segment first.',
    )
  }
  if (source.within) return source
  const connected = source.createdAt.toISOString()
  if (to && to > source.createdAt) {
    throw new OperationError(
      `The end of the range, ${to.toISOString()}, is after the portal was connected, ${connected}.`,
      'Since then its events are recorded live. Delivered ones are pruned in time, and what is pruned would be sent twice.',
      'Leave the end out, or choose an earlier one.',
    )
  }
  throw new OperationError(
    `The range from ${source.from} to ${source.to} is empty.`,
    `There is nothing to backfill; the portal was connected ${connected}.`,
    'Choose a beginning before its end.',
  )
}

export function detailedOff(event: string, portalId: string): OperationError {
  return new OperationError(
    `"${event}" is a detailed event, and the source of portal ${portalId} has Detailed Event Tracking off.`,
    'Nothing would be recorded, and the range would count as done.',
    'Switch it on first, with `sources.setDetailedEvents`.',
  )
}

function overlaps(event: string, portalId: string, { from, to, finished }: Range): OperationError {
  const range = `${from.toISOString()} to ${to.toISOString()}`
  return new OperationError(
    `The range overlaps a backfill of "${event}" for portal ${portalId}, ${range}${finished ? '' : ', which is not finished'}.`,
    'What that one recorded may be delivered and pruned by now, and would be sent twice.',
    finished ? 'Choose a range beside it.' : 'Go on with exactly that range, or choose one beside it.',
  )
}
