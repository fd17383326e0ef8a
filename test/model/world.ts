import { randomUUID } from 'node:crypto'
import { createOutbox, type Outbox } from 'synap-outbox'
import {
  type FaultHandle,
  type FaultOptions,
  type LocalSegment,
  type RequestFault,
  startLocalSegment,
} from 'synap-outbox/testing'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { FenceWatch } from './fence-watch'
import { ModelProcess } from './process'
import { WireTap } from './wire-tap'

export const WINDOW_MS = 23 * 3_600_000

/** Batches of many sizes and turns of many lengths, so that runs of a few messages meet every seam. */
const DISPATCHERS = [
  { batchMessages: 250, turnMs: 1000, concurrency: 4 },
  { batchMessages: 1, turnMs: 1000, concurrency: 2 },
  { batchMessages: 3, turnMs: 1, concurrency: 1 },
]

/**
 * What all runs share: a database, a local Segment, three processes that dispatch, and an operator's that does not.
 * Its clock can be moved forward: for the local Segment, and for what the database knows of requests in doubt.
 */
export class World {
  readonly tap = new WireTap((writeKey) => this.#sources.get(writeKey))
  readonly #sources = new Map<string, string>()
  #poison: FaultHandle | undefined

  private constructor(
    readonly database: TestDatabase,
    readonly segment: LocalSegment,
    readonly processes: readonly ModelProcess[],
    readonly operator: Outbox,
    readonly fence: FenceWatch,
    /** Milliseconds by which the run's clock is ahead. */
    readonly clock: { offset: number },
  ) {}

  static async start(): Promise<World> {
    const clock = { offset: 0 }
    const [database, segment] = await Promise.all([
      createTestDatabase(),
      startLocalSegment({ now: () => Date.now() + clock.offset }),
    ])
    const options = {
      secretKeys: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
      segment: { host: { us: segment.url, eu: segment.euUrl }, timeoutMs: 200 },
    }
    // Up to ten minutes: what rests stays at rest until a run says otherwise.
    const backoff = { initialMs: 600_000, maxMs: 600_000, refusedMs: 600_000 }
    const fence = new FenceWatch()
    const processes = await Promise.all(
      DISPATCHERS.map(async (dispatcher, i) => {
        const own = { ...dispatcher, backoff, dedupWindowMs: WINDOW_MS }
        return new ModelProcess(`process ${i}`, await database.connect(), fence, {
          ...options,
          dispatcher: own,
        })
      }),
    )
    const operator = createOutbox({ ...options, dataSource: database.dataSource })
    return new World(database, segment, processes, operator, fence, clock)
  }

  rows<Row>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return this.database.dataSource.query(sql, parameters)
  }

  /** Milliseconds since the epoch, on the database's clock. */
  async databaseNow(): Promise<number> {
    const [row] = await this.rows<{ ms: string }>('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms')
    return Number(row?.ms)
  }

  /** A write key that the local Segment knows, and that the log then knows the source of. */
  newWriteKey(): { writeKey: string; belongsTo: (sourceId: string) => void } {
    const writeKey = randomUUID().replaceAll('-', '')
    this.segment.addWriteKey(writeKey)
    return { writeKey, belongsTo: (sourceId) => this.#sources.set(writeKey, sourceId) }
  }

  sourceOf(writeKey: string | undefined): string | undefined {
    return writeKey === undefined ? undefined : this.#sources.get(writeKey)
  }

  async expireLeases(): Promise<void> {
    await this.rows(`UPDATE source_delivery SET lease_expires_at = '-infinity'`)
  }

  async endRests(): Promise<void> {
    await this.rows(`UPDATE source_delivery SET resume_at = '-infinity'`)
  }

  /** Orders faults for requests. Poison comes last: a fault happens to a request before Segment looks into it. */
  async orderFault(faults: readonly RequestFault[], options: FaultOptions): Promise<FaultHandle> {
    await this.#poison?.clear()
    const ordered = this.segment.fault(faults, options)
    this.#poison = this.segment.fault({ kind: 'poison', predicate: isPoison })
    return ordered
  }

  /** No faults but one: poison stays poison. */
  async clearFaults(): Promise<void> {
    await this.segment.clearFaults()
    this.#poison = this.segment.fault({ kind: 'poison', predicate: isPoison })
  }

  /** Forgets everything of the last run. */
  async reset(): Promise<void> {
    for (const process of this.processes) process.restart()
    for (const table of ['outbox_message', 'outbox_batch', 'source_delivery', 'segment_source'])
      await this.rows(`DELETE FROM ${table}`)
    await this.segment.reset()
    await this.clearFaults()
    this.tap.flights.length = 0
    this.fence.settlements.length = 0
  }

  async end(): Promise<void> {
    this.tap.end()
    await Promise.all([...this.processes.map(({ outbox }) => outbox.stop()), this.operator.stop()])
    await Promise.all([this.database.drop(), this.segment.close()])
  }
}

export const POISON_TEST = 'refused by Segment'

function isPoison(message: Readonly<Record<string, unknown>>): boolean {
  return (message.properties as { testId?: string } | undefined)?.testId === POISON_TEST
}
