import type { EntityManager } from 'typeorm'
import type { Database } from '../../database'
import { OperationError } from '../../errors'
import type { Plan } from '../../plan/define-plan'
import type { Recorded } from '../../record/calls'
import type { Tables } from '../../tables'
import { detailedOff, type Range, rangeColumns } from './range'
import type { BackfillFact, ReadFacts } from './types'

type Fact = BackfillFact<Plan, string>

/** What recording a page needs. */
export interface PageParts {
  readonly db: Database
  readonly portalId: string
  readonly read: ReadFacts<Plan, string>
  readonly limit: number
  /** Records calls in the transaction, as the application's own calls are. */
  readonly record: (tx: EntityManager, calls: readonly unknown[]) => Promise<Recorded[]>
}

/**
 * Two processes at one range take turns at its row, each from where the other has come to. The source is locked as well,
 * weakly: it cannot be disabled, and another connected, between this and the recording.
 */
const takeSql = (t: Tables) => `
SELECT ${rangeColumns}, s.status <> 'disabled' AS active
FROM ${t.backfill} b JOIN ${t.source} s USING (source_id)
WHERE b.source_id = $1 AND b.event = $2 AND b.from_at = $3::timestamptz
FOR UPDATE OF b FOR SHARE OF s`

const advanceSql = (t: Tables) => `
WITH b AS (
  UPDATE ${t.backfill}
  SET read_through = coalesce($4, read_through), recorded = recorded + $5, duplicates = duplicates + $6,
      diverted = diverted + $7, advanced_at = clock_timestamp(),
      finished_at = CASE WHEN $4::text IS NULL THEN clock_timestamp() END
  WHERE source_id = $1 AND event = $2 AND from_at = $3::timestamptz
  RETURNING *
)
SELECT ${rangeColumns} FROM b`

/**
 * Reads the next page and records it, and notes where it ended, in one transaction: a process that ends at any moment
 * has done a page wholly or not at all. Returns the range as it is then, and the page's facts.
 */
export async function recordPage(
  parts: PageParts,
  range: Range,
): Promise<{ range: Range; facts: readonly Fact[] }> {
  const { db, portalId, limit } = parts
  const key = [range.sourceId, range.event, range.from]
  return db.dataSource.transaction(async (tx) => {
    const [taken]: (Range & { active: boolean })[] = await tx.query(takeSql(db.tables), key)
    if (!taken?.active) throw sourceGone(portalId)
    const { active: _, ...current } = taken
    if (current.finished) return { range: current, facts: [] }
    const { from, to, readThrough: after } = current
    const facts = await parts.read({ portalId, from, to, after, limit, manager: tx })
    checkFacts(facts, current)
    const calls = facts.map(({ cursor: _, ...fact }) => ({
      ...fact,
      portalId,
      type: 'track',
      event: range.event,
    }))
    const outcomes = await parts.record(tx, calls)
    const counts = countOutcomes(outcomes, range.event, portalId)
    const [advanced]: Range[] = await tx.query(advanceSql(db.tables), [
      ...key,
      facts.at(-1)?.cursor ?? null,
      ...counts,
    ])
    return { range: advanced as Range, facts }
  })
}

function checkFacts(facts: readonly Fact[], { event, from, to, readThrough }: Range): void {
  for (const { timestamp, cursor } of facts) {
    if (!(timestamp instanceof Date && timestamp >= from && timestamp < to)) {
      throw new OperationError(
        `The reader of "${event}" returned a fact of ${timestamp instanceof Date ? timestamp.toISOString() : timestamp}.`,
        `The range ends before ${to.toISOString()} and begins ${from.toISOString()}: outside of it the fact may have been sent already.`,
        'Let it select by the `from` and `to` that it is given.',
      )
    }
    if (typeof cursor !== 'string' || cursor === '' || cursor === readThrough) {
      throw new OperationError(
        `The reader of "${event}" returned the cursor ${JSON.stringify(cursor)}.`,
        'Each fact needs a cursor of its own, behind the one that the page starts after, or reading would not move on.',
        'Let it select by the `after` that it is given, in the order of its cursors.',
      )
    }
  }
}

/** The numbers recorded, already there, and diverted. */
function countOutcomes(outcomes: readonly Recorded[], event: string, portalId: string): number[] {
  if (outcomes.some(({ outcome }) => outcome === 'detailed-off')) throw detailedOff(event, portalId)
  if (outcomes.some(({ outcome }) => outcome === 'no-source')) throw sourceGone(portalId)
  return (['recorded', 'duplicate', 'diverted'] as const).map(
    (kind) => outcomes.filter(({ outcome }) => outcome === kind).length,
  )
}

export function sourceGone(portalId: string): OperationError {
  return new OperationError(
    `The source of portal ${portalId} was disabled during the backfill.`,
    'Nothing more is recorded for it.',
    'Resume the source and run the same backfill, or backfill the source that was connected since.',
  )
}
