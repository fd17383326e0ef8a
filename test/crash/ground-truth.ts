import type { LocalSegment } from 'synap-outbox/testing'
import type { DataSource } from 'typeorm'

export interface Portal {
  portalId: string
  writeKey: string
}

/**
 * Compares what the local Segment took with the committed business rows, and looks that nothing is left undecided.
 * The rows are the truth: what a transaction that failed or died had written is not among them.
 *
 * @param recorders whether the facts were recorded one after the other, or by several processes at once: then each
 *   process's own order is the one that has to hold
 */
export async function checkAgainstTruth(
  dataSource: DataSource,
  segment: LocalSegment,
  portals: readonly Portal[],
  recorders: 'in turn' | 'at once' = 'in turn',
): Promise<void> {
  for (const { portalId, writeKey } of portals) {
    const facts = await dataSource.query<{ id: string; poison: boolean; recorder: number }[]>(
      'SELECT id, poison, recorder FROM exam_fact WHERE portal_id = $1 ORDER BY n',
      [portalId],
    )
    const arrived = segment.accepted({ writeKey }).map(({ message }) => attemptId(message))
    const expected = facts.filter((fact) => !fact.poison)
    // Each once after deduplication, and nothing else.
    expect([...arrived].sort()).toEqual(expected.map((fact) => fact.id).sort())
    for (const recorder of new Set(expected.map((fact) => fact.recorder))) {
      const own = expected.filter((fact) => recorders === 'in turn' || fact.recorder === recorder)
      const ids = own.map((fact) => fact.id)
      expect(arrived.filter((id) => ids.includes(id))).toEqual(ids)
    }
    const dead = await dataSource.query<{ id: string }[]>(
      `SELECT body->'properties'->>'attemptId' AS id FROM outbox_message
       WHERE portal_id = $1 AND status = 'dead' AND reason LIKE 'Segment refused it: %'`,
      [portalId],
    )
    const poison = facts.filter((fact) => fact.poison).map((fact) => fact.id)
    expect(dead.map((row) => row.id).sort()).toEqual(poison.sort())
  }
  expect(segment.discarded()).toEqual([])
  expect(await undecided(dataSource)).toEqual({ messages: 0, batches: 0, leases: 0 })
}

/** What is neither delivered nor dead, batches that are open, and leases that are held. */
async function undecided(
  dataSource: DataSource,
): Promise<{ messages: number; batches: number; leases: number }> {
  const [row] = await dataSource.query<{ messages: number; batches: number; leases: number }[]>(
    `SELECT (SELECT count(*)::int FROM outbox_message WHERE status NOT IN ('delivered', 'dead')) AS messages,
            (SELECT count(*)::int FROM outbox_batch WHERE outcome IS NULL) AS batches,
            (SELECT count(*)::int FROM source_delivery WHERE lease_owner IS NOT NULL) AS leases`,
  )
  return row as { messages: number; batches: number; leases: number }
}

function attemptId(message: Readonly<Record<string, unknown>>): string {
  return (message.properties as { attemptId: string }).attemptId
}
