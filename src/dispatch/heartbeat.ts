import { setTimeout as pause } from 'node:timers/promises'
import type { Database } from '../database'
import type { Events } from '../events'
import type { Tables } from '../tables'
import { VERSION } from '../version'
import { undisturbed } from './undisturbed'

/** How long stopping waits for the row to be removed. */
const PATIENCE_MS = 1000

/** One row each, of this process; those of processes that died without a word go after a day. */
const beatSql = (t: Tables) => `
WITH beat AS (
  INSERT INTO ${t.dispatcher} AS d (owner, interval_ms, version) VALUES ($1, $2, '${VERSION}')
  ON CONFLICT (owner) DO UPDATE SET last_tick_at = clock_timestamp(), interval_ms = excluded.interval_ms
), gone AS (
  DELETE FROM ${t.dispatcher} WHERE last_tick_at < clock_timestamp() - interval '1 day' AND owner <> $1
)
SELECT 1`

const endSql = (t: Tables) => `WITH ended AS (DELETE FROM ${t.dispatcher} WHERE owner = $1) SELECT 1`

/**
 * Tells whoever looks at the database that this process dispatches. Nothing in the engine depends on it: leases decide
 * who sends.
 */
export class Heartbeat {
  readonly #db: Database
  readonly #owner: string
  readonly #undisturbed: ReturnType<typeof undisturbed>
  #beat: Promise<void> = Promise.resolve()

  constructor(db: Database, owner: string, events: Events) {
    this.#db = db
    this.#owner = owner
    this.#undisturbed = undisturbed(events, 'heartbeat')
  }

  /** @param intervalMs until the next beat, at the latest */
  beat(intervalMs: number): Promise<void> {
    this.#beat = this.#beat.then(() => this.#run(beatSql(this.#db.tables), [this.#owner, intervalMs]))
    return this.#beat
  }

  /**
   * After the beat that is under way, which would otherwise bring the row back. A database that does not answer is not
   * waited for: the row then goes by itself after a day, and shows until then when this process was last alive.
   */
  async end(): Promise<void> {
    this.#beat = this.#beat.then(() => this.#run(endSql(this.#db.tables), [this.#owner]))
    const waiting = new AbortController()
    await Promise.race([
      this.#beat,
      pause(PATIENCE_MS, undefined, { signal: waiting.signal }).catch(() => {}),
    ])
    waiting.abort()
  }

  #run(sql: string, parameters: unknown[]): Promise<void> {
    return this.#undisturbed(() => this.#db.query(sql, parameters))
  }
}
