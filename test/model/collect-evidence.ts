import type { BatchRow, Evidence, MessageRow } from './evidence'
import type { Ledger } from './ledger'
import { WINDOW_MS, type World } from './world'

/** All that a run has left behind, for the invariants. */
export async function collectEvidence(world: World, ledger: Ledger): Promise<Evidence> {
  const rows = await world.rows<MessageRow>(
    `SELECT message_id AS "messageId", source_id AS "sourceId", portal_id AS "portalId", seq::int, status, reason,
       batch_id::int AS "batchId" FROM outbox_message ORDER BY seq`,
  )
  const batches = await world.rows<BatchRow>(
    `SELECT batch_id::int AS "batchId", parent_id::int AS "parentId", source_id AS "sourceId",
       message_ids AS "messageIds", outcome,
       (extract(epoch FROM (attempts -> 0 ->> 'at')::timestamptz) * 1000)::float8 AS "firstAttemptAt",
       (extract(epoch FROM settled_at - first_ambiguous_at) * 1000)::float8 AS "ambiguousMs",
       ARRAY(SELECT a ->> 'verdict' FROM jsonb_array_elements(attempts) a) AS verdicts
     FROM outbox_batch ORDER BY batch_id`,
  )
  const requests = world.segment.requests().filter((request) => request.method === 'POST')
  return {
    windowMs: WINDOW_MS,
    facts: ledger.facts,
    sources: ledger.portals.flatMap(({ portalId, sources }) =>
      sources.map((source) => ({ portalId, ...source })),
    ),
    rows,
    batches,
    requests: requests.map(({ at, writeKey, messageIds, status, fault, cutBy }) => ({
      at: at.getTime(),
      sourceId: world.sourceOf(writeKey),
      messageIds,
      status,
      fault,
      cut: cutBy !== undefined,
    })),
    accepted: world.segment.accepted().map(({ messageId, writeKey, message }) => ({
      messageId,
      sourceId: world.sourceOf(writeKey),
      key: (message.properties as { attemptId?: string } | undefined)?.attemptId,
    })),
    flights: world.tap.flights,
    settlements: world.fence.settlements,
    choices: ledger.choices,
  }
}
