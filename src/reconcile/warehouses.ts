import { z } from 'zod'
import type { SourceStatus } from '../../entities'
import type { Database } from '../database'
import { OperationError, SecretKeyError } from '../errors'
import type { SourceWarehouse } from '../operate/inspect/types'
import type { WriteKeyCipher } from '../sources/write-key-cipher'
import type { Tables } from '../tables'
import { WarehouseSession } from './warehouse-session'
import type { WarehouseTarget } from './warehouse-target'

/** A source's warehouse, without the address that holds its password. */
export interface Warehouse extends SourceWarehouse {
  readonly sourceId: string
  readonly portalId: string
}

export interface ConnectWarehouseOptions extends WarehouseTarget {
  sourceId: string
  /**
   * Hours after which a delivered message has to be in the warehouse, 0.1 to 720. Default 48: Segment documents 24 to
   * 48 hours ("Warehouse Syncs"); a warehouse that loads hourly may have 2.
   */
  lagHours?: number
  /** Minutes between canaries, 5 to 1440. Default: none. */
  canaryMinutes?: number
}

/** Longest documented: "available in your warehouse within 24-48 hours" (Segment, "Warehouse Syncs"). */
export const LAG_HOURS = 48
const CONNECT_TIMEOUT_MS = 10_000

const options = z.strictObject({
  sourceId: z.guid(),
  url: z.string(),
  schema: z.string(),
  lagHours: z.number().min(0.1).max(720).default(LAG_HOURS),
  canaryMinutes: z.int().min(5).max(1440).optional(),
})

const columns = `w.source_id AS "sourceId", s.portal_id AS "portalId", w.schema_name AS schema, w.lag_hours AS "lagHours",
  w.canary_minutes AS "canaryMinutes", w.reconciled_at AS "reconciledAt", w.missing,
  w.canary_lost_since AS "canaryLostSince"`

const saveSql = (t: Tables) => `
WITH w AS (
  INSERT INTO ${t.warehouse} (source_id, schema_name, url_ciphertext, url_secret_id, lag_hours, canary_minutes)
  SELECT source_id, $2, $3, $4, $5, $6 FROM ${t.source} WHERE source_id = $1
  ON CONFLICT (source_id) DO UPDATE
  SET schema_name = $2, url_ciphertext = $3, url_secret_id = $4, lag_hours = $5, canary_minutes = $6,
      updated_at = clock_timestamp(), canary_lost_since = NULL
  RETURNING *
)
SELECT ${columns} FROM w JOIN ${t.source} s USING (source_id)`

/** Only where the address is still the one that was read: one saved meanwhile must not be overwritten by the old. */
const rotateSql = (t: Tables) => `
WITH changed AS (
  UPDATE ${t.warehouse} SET url_ciphertext = $2, url_secret_id = $3
  WHERE source_id = $1 AND url_ciphertext = $4 RETURNING 1
)
SELECT count(*)::int AS n FROM changed`

/** With the encrypted address, and the state of its source. */
export interface StoredWarehouse extends Warehouse {
  readonly status: SourceStatus
  readonly ciphertext: Buffer
  readonly secretId: string
}

/** Where the portals' events end up. The addresses are stored encrypted, as write keys are. */
export class Warehouses {
  readonly #db: Database
  readonly #cipher: WriteKeyCipher

  constructor(db: Database, cipher: WriteKeyCipher) {
    this.#db = db
    this.#cipher = cipher
  }

  /** Saves where a source's warehouse is, or replaces it, once it could be read. Throws WarehouseError where it cannot. */
  async connect(given: ConnectWarehouseOptions): Promise<Warehouse> {
    const result = options.safeParse(given)
    if (!result.success) {
      const [issue] = result.error.issues
      throw new OperationError(
        `The warehouse’s ${issue?.path.join('.') || 'options'} is not valid: ${issue?.message}.`,
        'Nothing was saved.',
        'Pass sourceId, url, schema, and if need be lagHours (0.1 to 720) and canaryMinutes (5 to 1440).',
      )
    }
    const { sourceId, url, schema, lagHours, canaryMinutes } = result.data
    await (await WarehouseSession.open({ url, schema }, CONNECT_TIMEOUT_MS)).close()
    const { ciphertext, secretId } = this.#cipher.encrypt(boundTo(sourceId), url)
    const parameters = [sourceId, schema, ciphertext, secretId, lagHours, canaryMinutes ?? null]
    const [warehouse] = await this.#db.query<Warehouse>(saveSql(this.#db.tables), parameters)
    if (warehouse) return warehouse
    throw new OperationError(
      `There is no source ${sourceId}.`,
      'Nothing was saved.',
      'Look the portal’s source up with `sources.ofPortal(portalId)`.',
    )
  }

  /** Forgets a source's warehouse. Returns whether there was one. */
  async disconnect(sourceId: string): Promise<boolean> {
    const [row] = await this.#db.query<{ n: number }>(
      `WITH gone AS (DELETE FROM ${this.#db.tables.warehouse} WHERE source_id = $1 RETURNING 1)
       SELECT count(*)::int AS n FROM gone`,
      [sourceId],
    )
    return row?.n === 1
  }

  /** All of them, or those of one portal or source. */
  async list(filter: { sourceId?: string; portalId?: string } = {}): Promise<Warehouse[]> {
    return (await this.stored(filter)).map(({ ciphertext, secretId, status, ...warehouse }) => warehouse)
  }

  /**
   * Encrypts the addresses again with the first of the secret keys, so that the others can be taken away. Goes with
   * `sources.rotateSecrets()`. Returns how many it changed, and which do not decrypt and have to be saved again.
   */
  async rotateSecrets(): Promise<{ rotated: number; missing: readonly Warehouse[] }> {
    const missing: Warehouse[] = []
    let rotated = 0
    for (const { ciphertext, secretId, status, ...warehouse } of await this.stored({})) {
      if (secretId === this.#cipher.currentId) continue
      const { sourceId } = warehouse
      try {
        const url = this.#cipher.decrypt(boundTo(sourceId), { ciphertext, secretId })
        const next = this.#cipher.encrypt(boundTo(sourceId), url)
        const given = [sourceId, next.ciphertext, next.secretId, ciphertext]
        const [row] = await this.#db.query<{ n: number }>(rotateSql(this.#db.tables), given)
        rotated += row?.n ?? 0
      } catch (error) {
        if (!(error instanceof SecretKeyError)) throw error
        missing.push(warehouse)
      }
    }
    return { rotated, missing }
  }

  /** @internal With the encrypted address. */
  async stored({ sourceId, portalId }: { sourceId?: string; portalId?: string }): Promise<StoredWarehouse[]> {
    const { warehouse, source } = this.#db.tables
    return this.#db.query<StoredWarehouse>(
      `SELECT ${columns}, w.url_ciphertext AS ciphertext, w.url_secret_id AS "secretId", s.status
       FROM ${warehouse} w JOIN ${source} s USING (source_id)
       WHERE ($1::uuid IS NULL OR w.source_id = $1) AND ($2::text IS NULL OR s.portal_id = $2)
       ORDER BY s.portal_id, w.source_id`,
      [sourceId ?? null, portalId ?? null],
    )
  }

  /** @internal Where a stored warehouse is. Throws SecretKeyError. */
  target({ sourceId, schema, ciphertext, secretId }: StoredWarehouse): WarehouseTarget {
    try {
      return { schema, url: this.#cipher.decrypt(boundTo(sourceId), { ciphertext, secretId }) }
    } catch (cause) {
      throw new SecretKeyError(
        `The address of the warehouse of source ${sourceId} does not decrypt with the secret key "${secretId}".`,
        'The source was not compared.',
        'Put the secret key that it was saved with back under that id, or save the warehouse again.',
        cause,
      )
    }
  }

  /** @internal A comparison has come to its end. */
  async noteComparison(sourceId: string, missing: number): Promise<void> {
    await this.#db.query(
      `WITH noted AS (
         UPDATE ${this.#db.tables.warehouse} SET reconciled_at = clock_timestamp(), missing = $2 WHERE source_id = $1
       ) SELECT 1`,
      [sourceId, missing],
    )
  }
}

/** A write key's ciphertext put into this column must not decrypt as an address, nor the other way round. */
function boundTo(sourceId: string): string {
  return `warehouse of ${sourceId}`
}
