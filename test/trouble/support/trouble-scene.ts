import type { Outbox, OutboxOptions, synapPlan } from 'synap-outbox'
import { beganTest, type Connected, createScene, random, type Scene } from '../../support/scene'
import { type Gate, openGate } from './gate'

/** After a failure a source rests until the test lets time pass, instead of for milliseconds. */
export const LONG_RESTS = { backoff: { initialMs: 3_600_000, maxMs: 3_600_000, refusedMs: 3_600_000 } }

/** A scene whose outboxes reach the local Segment through a gate, with short ways to what the tests look at. */
export interface TroubleScene extends Scene {
  readonly gate: Gate
  /** One Began Test for each attempt, in one transaction and this order. Returns their messageIds. */
  record(outbox: Outbox, portal: Connected, attemptIds: readonly string[]): Promise<string[]>
  /** So many, with ids of their own. */
  recordSome(outbox: Outbox, portal: Connected, count?: number): Promise<string[]>
  /** A source's messages by `seq`. */
  messages(portal: Connected): Promise<MessageRow[]>
  /** A source's batches by age. */
  batches(portal: Connected): Promise<BatchRow[]>
  /** The source's back-off and lease, as the database's clock sees them. */
  delivery(portal: Connected): Promise<DeliveryRow>
  /** Ends back-offs and leases. */
  letTimePass(): Promise<void>
}

export interface MessageRow {
  messageId: string
  status: string
  reason: string | null
}

export interface BatchRow {
  batchId: string
  messageIds: string[]
  out: boolean
  outcome: string | null
  ambiguousAt: Date | null
  /** Milliseconds since then, on the database's clock. */
  ambiguousForMs: number | null
  attempts: { verdict: string; status?: number }[]
}

export interface DeliveryRow {
  failures: number
  lastError: string | null
  /** Milliseconds from now until the source is due, and until its lease ends; negative where that is past. */
  restsForMs: number
  leasedForMs: number
  leaseOwner: string | null
}

export async function createTroubleScene(): Promise<TroubleScene> {
  const scene = await createScene()
  const gate = await openGate(scene.segment.url)
  const byOutbox = (outbox: Outbox, { portalId }: Connected, attemptIds: readonly string[]) =>
    scene.dataSource.transaction(async (tx) => {
      const calls = attemptIds.map((attemptId) => ({
        type: 'track' as const,
        event: 'Began Test' as const,
        portalId,
        userId: 'student',
        properties: beganTest(attemptId),
      }))
      const results = await outbox.record(tx, calls)
      return results.map(({ messageId }) => messageId ?? '')
    })
  return {
    ...scene,
    gate,
    outbox: (options: Partial<OutboxOptions<typeof synapPlan>> = {}) =>
      scene.outbox({ segment: { host: gate.url, timeoutMs: 5000 }, ...options }),
    record: byOutbox,
    recordSome: (outbox, portal, count = 1) =>
      byOutbox(
        outbox,
        portal,
        Array.from({ length: count }, () => random()),
      ),
    messages: ({ source }) =>
      scene.rows<MessageRow>(
        `SELECT message_id AS "messageId", status, reason FROM outbox_message WHERE source_id = $1 ORDER BY seq`,
        [source.sourceId],
      ),
    batches: ({ source }) =>
      scene.rows<BatchRow>(
        `SELECT batch_id AS "batchId", message_ids AS "messageIds", attempt_started_at IS NOT NULL AS out, outcome,
                first_ambiguous_at AS "ambiguousAt", attempts,
                extract(epoch FROM clock_timestamp() - first_ambiguous_at)::float8 * 1000 AS "ambiguousForMs"
         FROM outbox_batch WHERE source_id = $1 ORDER BY batch_id`,
        [source.sourceId],
      ),
    async delivery({ source }) {
      const [row] = await scene.rows<DeliveryRow>(
        `SELECT failures, last_error AS "lastError", lease_owner AS "leaseOwner",
                CASE WHEN isfinite(resume_at) THEN extract(epoch FROM resume_at - clock_timestamp())::float8 * 1000
                     ELSE -1 END AS "restsForMs",
                CASE WHEN isfinite(lease_expires_at)
                     THEN extract(epoch FROM lease_expires_at - clock_timestamp())::float8 * 1000
                     ELSE -1 END AS "leasedForMs"
         FROM source_delivery WHERE source_id = $1`,
        [source.sourceId],
      )
      return row as DeliveryRow
    },
    async letTimePass() {
      await scene.rows(`UPDATE source_delivery SET resume_at = '-infinity', lease_expires_at = '-infinity'`)
    },
    async end() {
      await gate.close()
      await scene.end()
    },
  }
}
