import type { BackfillOptions, Outbox, ReadFacts, synapPlan } from 'synap-outbox'
import { type Connected, random, type Scene } from '../support/scene'

/** A business table whose rows are facts, older than the outbox. */
export const EXAM_TABLE =
  'CREATE TABLE exam_begun (id text PRIMARY KEY, portal_id text NOT NULL, begun_at timestamptz NOT NULL)'

/** Reads the table by its primary key. */
export const readExams: ReadFacts<typeof synapPlan, 'Began Test'> = async (page) => {
  const { manager, portalId, from, to, after, limit } = page
  const rows: { id: string; begun_at: Date }[] = await manager.query(
    `SELECT id, begun_at FROM exam_begun
     WHERE portal_id = $1 AND begun_at >= $2 AND begun_at < $3 AND id > $4 ORDER BY id LIMIT $5`,
    [portalId, from, to, after ?? '', limit],
  )
  return rows.map(({ id, begun_at }) => ({
    cursor: id,
    userId: 'student',
    timestamp: begun_at,
    properties: { testId: 'test-1', attemptId: id, attemptNumber: 1 },
  }))
}

/** What a backfill that nothing holds up is given: pages of 4 facts. */
export const quick = { pageSize: 4, rate: 10_000, maxPending: 100_000 } satisfies Partial<BackfillOptions>

/** `n` exams that were begun on the days before the portal was connected, one a day. */
export async function beginEarlier(
  scene: Scene,
  { portalId, source }: Connected,
  n: number,
): Promise<string[]> {
  const ids = Array.from({ length: n }, (_, i) => `exam-${String(i).padStart(5, '0')}-${random()}`)
  await scene.rows(
    `INSERT INTO exam_begun SELECT id, $2, $3::timestamptz - i * interval '1 day'
     FROM unnest($1::text[]) WITH ORDINALITY AS e(id, i)`,
    [ids, portalId, source.createdAt],
  )
  return ids
}

/** Begins an exam now: the row and its event in one transaction, as the application does. */
export async function beginNow(scene: Scene, outbox: Outbox, portalId: string, id: string): Promise<void> {
  await scene.dataSource.transaction(async (tx) => {
    await tx.query('INSERT INTO exam_begun VALUES ($1, $2, clock_timestamp())', [id, portalId])
    const properties = { testId: 'test-1', attemptId: id, attemptNumber: 1 }
    await outbox.track(tx, 'Began Test', { portalId, userId: 'student', properties })
  })
}

/** The attempts that Segment has accepted from the portal, in the order it did; each as often as it did. */
export function acceptedAttempts(scene: Scene, { writeKey }: Connected): unknown[] {
  const accepted = scene.segment.accepted({ writeKey, event: 'Began Test' })
  return accepted.map(({ message }) => (message.properties as { attemptId: string }).attemptId)
}
