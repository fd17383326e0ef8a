import type { Database } from '../database'
import type { Events } from '../events'
import { factText, messageId } from '../plan/message-id'
import type { PreparedCall } from '../record/prepare'
import { writeMessages } from '../record/record'
import { CLIENT_BYTES } from '../segment/limits'
import type { Tables } from '../tables'
import { WarehouseSession } from './warehouse-session'
import type { StoredWarehouse, Warehouses } from './warehouses'

/** The user that canaries identify. It has no traits, so it adds no column to anyone's warehouse. */
export const CANARY_USER = 'synap-outbox-canary'
/** What the natural key of a canary begins with, in the place of an event's name. */
const FACT = 'synap-outbox canary'

export interface CanaryReport {
  readonly sent: number
  /** Canaries that should have been in the warehouse, and whether they were. */
  readonly found: number
  readonly lost: number
}

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
/** Canaries older than that, beyond the lag allowance, say nothing of today. */
const LOOK_BACK_MS = 24 * HOUR_MS
const TIMEOUT_MS = 10_000

const newestDueSql = (t: Tables) => `
SELECT message_id AS "messageId", settled_at AS "settledAt" FROM ${t.message}
WHERE message_id = ANY ($1::uuid[]) AND status = 'delivered'
  AND settled_at < clock_timestamp() - $2::float8 * interval '1 hour'
ORDER BY settled_at DESC LIMIT 1`

/** Notes what was found. Tells of a loss once, whichever process sees it first. */
const noteSql = (t: Tables) => `
WITH noted AS (
  UPDATE ${t.warehouse} SET canary_lost_since = $2::timestamptz
  WHERE source_id = $1 AND (canary_lost_since IS NULL) <> ($2::timestamptz IS NULL)
  RETURNING 1
)
SELECT EXISTS (SELECT FROM noted) AS changed`

/**
 * Sends a small `identify` at regular intervals through the outbox like any message, and looks for it in the warehouse:
 * a write key that answers 200 and leads nowhere is noticed as soon as the lag allowance is over, on a quiet day too.
 *
 * The natural key of a canary is its interval, so any number of processes send one, and each knows the ids to look for
 * without asking.
 */
export class Canaries {
  /** The interval that was followed last, by source: one look at the warehouse for each. */
  readonly #followed = new Map<string, number>()

  constructor(
    private readonly db: Database,
    private readonly warehouses: Warehouses,
    private readonly events: Events,
    private readonly wake: () => void,
  ) {}

  /** Sends what is due and follows what should have arrived. A source whose warehouse fails is reported, and left out. */
  async check(): Promise<CanaryReport> {
    const all = await this.warehouses.stored({})
    const active = all.filter(({ canaryMinutes, status }) => canaryMinutes !== null && status === 'enabled')
    const report = { sent: await this.#send(active), found: 0, lost: 0 }
    for (const warehouse of active) {
      const now = intervalOf(warehouse, Date.now())
      if (this.#followed.get(warehouse.sourceId) === now) continue
      this.#followed.set(warehouse.sourceId, now)
      try {
        const found = await this.#follow(warehouse)
        if (found !== undefined) report[found ? 'found' : 'lost']++
      } catch (error) {
        this.events.emit('error', { error, during: 'canary' })
      }
    }
    return report
  }

  async #send(warehouses: readonly StoredWarehouse[]): Promise<number> {
    if (warehouses.length === 0) return 0
    const calls = warehouses.map(canaryCall)
    const { results } = await this.db.dataSource.transaction((tx) => {
      if (!tx.queryRunner) throw new Error('a transaction has a query runner')
      return writeMessages(tx.queryRunner, this.db.tables, calls)
    })
    const sent = results.filter(({ outcome }) => outcome === 'recorded').length
    if (sent > 0) this.wake()
    return sent
  }

  /** Whether the newest canary that should be in the warehouse is; undefined where none should be yet. */
  async #follow(warehouse: StoredWarehouse): Promise<boolean | undefined> {
    const { sourceId, portalId, lagHours } = warehouse
    const [due] = await this.db.query<{ messageId: string; settledAt: Date }>(newestDueSql(this.db.tables), [
      recentIds(warehouse),
      lagHours,
    ])
    if (due === undefined) return undefined
    const session = await WarehouseSession.open(this.warehouses.target(warehouse), TIMEOUT_MS)
    const found = await session.lookUp('identify', [due.messageId]).finally(() => session.close())
    const lostSince = found.size > 0 ? null : due.settledAt
    const [noted] = await this.db.query<{ changed: boolean }>(noteSql(this.db.tables), [sourceId, lostSince])
    if (lostSince && noted?.changed) this.events.emit('canaryLost', { sourceId, portalId, sentAt: lostSince })
    return found.size > 0
  }
}

function intervalOf({ canaryMinutes }: StoredWarehouse, at: number): number {
  return Math.floor(at / ((canaryMinutes as number) * MINUTE_MS))
}

function keyOf(warehouse: StoredWarehouse, interval: number): readonly [number, number] {
  return [warehouse.canaryMinutes as number, interval]
}

function recentIds(warehouse: StoredWarehouse): string[] {
  const newest = intervalOf(warehouse, Date.now())
  const oldest = intervalOf(warehouse, Date.now() - warehouse.lagHours * HOUR_MS - LOOK_BACK_MS)
  return Array.from({ length: newest - oldest + 1 }, (_, i) =>
    messageId(warehouse.sourceId, FACT, keyOf(warehouse, oldest + i)),
  )
}

function canaryCall(warehouse: StoredWarehouse): PreparedCall {
  const now = new Date()
  const call = { type: 'identify', userId: CANARY_USER, traits: {}, timestamp: now.toISOString() }
  const body = JSON.stringify(call)
  return {
    portal_id: warehouse.portalId,
    type: 'identify',
    event: null,
    body,
    wire_bytes: Buffer.byteLength(body) + CLIENT_BYTES,
    detailed: false,
    schema_hash: null,
    trace_parent: null,
    fact: factText(FACT, keyOf(warehouse, intervalOf(warehouse, now.getTime()))),
    message_id: null,
    problems: [],
  }
}
