import { randomBytes } from 'node:crypto'
import { createOutbox, type Outbox, type OutboxOptions, type Source, type synapPlan } from 'synap-outbox'
import { type LocalSegment, startLocalSegment } from 'synap-outbox/testing'
import type { DataSource } from 'typeorm'
import { createTestDatabase, type TestDatabase } from './database'

const SECRET_KEYS = `k1:${Buffer.alloc(32, 7).toString('base64')}`

/** A database, a local Segment, and as many outboxes on them as a test wants; all of it is closed by `end()`. */
export interface Scene {
  readonly database: TestDatabase
  readonly dataSource: DataSource
  readonly segment: LocalSegment
  /** An outbox as one process would have it; pauses after failures are milliseconds. */
  outbox(options?: Partial<OutboxOptions<typeof synapPlan>>): Outbox
  /** A portal of its own, connected with a write key that the local Segment knows. */
  connect(outbox: Outbox, options?: { portalId?: string; detailedEvents?: boolean }): Promise<Connected>
  /** Sends what waits, loses the answers, and lets the dedup window pass: it ends uncertain, and Segment has it. */
  loseAnswers(outbox: Outbox): Promise<void>
  /** Rows of a query, for looking at what is in the tables. */
  rows<Row = Record<string, unknown>>(sql: string, parameters?: unknown[]): Promise<Row[]>
  end(): Promise<void>
}

export interface Connected {
  portalId: string
  writeKey: string
  source: Source
}

export async function createScene(): Promise<Scene> {
  const [database, segment] = await Promise.all([createTestDatabase(), startLocalSegment()])
  const outboxes: Outbox[] = []
  return {
    database,
    dataSource: database.dataSource,
    segment,
    outbox(options = {}) {
      const outbox = createOutbox({
        dataSource: database.dataSource,
        secretKeys: SECRET_KEYS,
        segment: { host: { us: segment.url, eu: segment.euUrl }, timeoutMs: 5000 },
        dispatcher: { backoff: { initialMs: 1, maxMs: 5, refusedMs: 5 } },
        ...options,
      })
      outboxes.push(outbox)
      return outbox
    },
    async connect(outbox, { portalId = `portal-${random()}`, detailedEvents = false } = {}) {
      const writeKey = random(16)
      segment.addWriteKey(writeKey)
      const source = await outbox.sources.connect({ portalId, writeKey, detailedEvents })
      return { portalId, writeKey, source }
    },
    async loseAnswers(outbox) {
      const lost = segment.fault({ kind: 'reset-after-accept' })
      await outbox.drain()
      await lost.clear()
      await database.dataSource.query(
        `UPDATE outbox_batch SET first_ambiguous_at = now() - interval '24 hours' WHERE outcome IS NULL`,
      )
      await database.dataSource.query(`UPDATE source_delivery SET resume_at = '-infinity'`)
      await outbox.drain()
    },
    rows: (sql, parameters) => database.dataSource.query(sql, parameters),
    async end() {
      await Promise.all(outboxes.map((outbox) => outbox.stop()))
      await Promise.all([database.drop(), segment.close()])
    },
  }
}

export function random(bytes = 6): string {
  return randomBytes(bytes).toString('hex')
}

/** A valid Began Test. */
export function beganTest(attemptId: string = random()) {
  return { testId: 'test-1', attemptId, attemptNumber: 1 }
}
