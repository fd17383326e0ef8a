import { randomUUID } from 'node:crypto'
import type { Region, SourceStatus, Verification } from '../../entities'
import type { Database } from '../database'
import { SourceError } from '../errors'
import { type VerifyOptions, verifyWriteKey } from '../segment/verify-write-key'
import type { Tables } from '../tables'
import type { WriteKeyCipher } from './write-key-cipher'

/** A portal's integration, without its write key. */
export interface Source {
  readonly sourceId: string
  readonly portalId: string
  readonly region: Region
  readonly status: SourceStatus
  readonly detailedEvents: boolean
  readonly verification: Verification
  readonly verifiedAt: Date | null
  readonly writeKeyLastFour: string
  readonly createdAt: Date
  readonly updatedAt: Date
}

export interface ConnectOptions {
  portalId: string
  /** The portal's Segment write key. Stored encrypted, shown never again but for its last four characters. */
  writeKey: string
  /** Where the workspace lives. Default us. */
  region?: Region
  /** Detailed Event Tracking. Default false. */
  detailedEvents?: boolean
  /** Save a key that Segment says it does not know. Default false. */
  insist?: boolean
}

const columns = `source_id AS "sourceId", portal_id AS "portalId", region, status, detailed_events AS "detailedEvents",
  verification, verified_at AS "verifiedAt", write_key_last_four AS "writeKeyLastFour", created_at AS "createdAt",
  updated_at AS "updatedAt"`

/** PostgreSQL's SQLSTATE for it (documentation, appendix A). */
const UNIQUE_VIOLATION = '23505'
/** Segment's write keys are 32 letters and digits; what fits in a Basic auth user name is let through to be verified. */
const WRITE_KEY = /^[A-Za-z0-9_-]{8,128}$/

/**
 * The portals' Segment integrations. Saving a write key verifies it: `known` and `unverified` (Segment could not be
 * asked) are saved, `unknown` only when insisted on.
 */
export class Sources {
  readonly #db: Database
  readonly #cipher: WriteKeyCipher
  readonly #verify: VerifyOptions
  readonly #changed: () => void

  /** @param changed called when a source may have become due, to wake the dispatcher */
  constructor(db: Database, cipher: WriteKeyCipher, verify: VerifyOptions, changed: () => void) {
    this.#db = db
    this.#cipher = cipher
    this.#verify = verify
    this.#changed = changed
  }

  /**
   * Connects a portal to a Segment workspace: a new source, and so new messageIds. To replace the key of the same
   * workspace use `saveWriteKey`. Throws SourceError where the portal has an active source already.
   */
  async connect(options: ConnectOptions): Promise<Source> {
    const { portalId, writeKey, region = 'us', detailedEvents = false } = options
    if (typeof portalId !== 'string' || portalId === '') {
      throw new SourceError(
        'No portalId is given.',
        'A source belongs to one portal.',
        'Pass the portal’s id.',
      )
    }
    const verification = await this.#check(writeKey, region, options.insist)
    const sourceId = randomUUID()
    const { ciphertext, secretId } = this.#cipher.encrypt(sourceId, writeKey)
    const [source] = await this.#db.query<Source>(connectSql(this.#db.tables), [
      sourceId,
      portalId,
      region,
      detailedEvents,
      verification,
      ciphertext,
      secretId,
      writeKey.slice(-4),
    ])
    if (source === undefined) {
      throw new SourceError(
        `The portal ${portalId} is connected to Segment already.`,
        'Two active sources would send each event twice.',
        'Save a new key for the same workspace with `saveWriteKey`, or disable the source before connecting another.',
      )
    }
    this.#changed()
    return source
  }

  /** The portal's active source: enabled or paused. */
  async ofPortal(portalId: string): Promise<Source | undefined> {
    const where = `portal_id = $1 AND status <> 'disabled'`
    const [source] = await this.#db.query<Source>(
      `SELECT ${columns} FROM ${this.#db.tables.source} WHERE ${where}`,
      [portalId],
    )
    return source
  }

  /** Replaces the key of the same workspace: what waits goes out with the new one, at once, under the same ids. */
  async saveWriteKey(
    sourceId: string,
    writeKey: string,
    options: { region?: Region; insist?: boolean } = {},
  ): Promise<Source> {
    const current = await this.#existing(sourceId)
    const region = options.region ?? current.region
    const verification = await this.#check(writeKey, region, options.insist)
    const { ciphertext, secretId } = this.#cipher.encrypt(sourceId, writeKey)
    return this.#update(
      sourceId,
      `write_key_ciphertext = $2, write_key_secret_id = $3, write_key_last_four = $4, region = $5, verification = $6,
       verified_at = CASE WHEN $6 = 'unverified' THEN NULL ELSE clock_timestamp() END,
       write_key_version = write_key_version + 1`,
      [ciphertext, secretId, writeKey.slice(-4), region, verification],
    )
  }

  /** Switches Detailed Event Tracking for what is recorded from now on. */
  async setDetailedEvents(sourceId: string, detailedEvents: boolean): Promise<Source> {
    return this.#update(sourceId, 'detailed_events = $2', [detailedEvents])
  }

  /** Holds what waits and what is recorded from now on. */
  async pause(sourceId: string): Promise<Source> {
    return this.#update(sourceId, `status = 'paused'`)
  }

  /**
   * Sends again, from now, whatever its back-off was. Enables a paused or a disabled source. Throws SourceError where
   * the portal has connected another one since.
   */
  async resume(sourceId: string): Promise<Source> {
    try {
      return await this.#update(sourceId, `status = 'enabled'`)
    } catch (error) {
      if ((error as { driverError?: { code?: string } }).driverError?.code !== UNIQUE_VIOLATION) throw error
      throw new SourceError(
        `The portal of source ${sourceId} has another active source.`,
        'Two active sources would send each event twice.',
        'Disable the other one first: `sources.ofPortal(portalId)` tells which it is.',
        error,
      )
    }
  }

  /** Records nothing new; what waits is held, until the source is resumed or an operator discards it. */
  async disable(sourceId: string): Promise<Source> {
    return this.#update(sourceId, `status = 'disabled'`)
  }

  async #check(writeKey: string, region: Region, insist = false): Promise<Verification> {
    if (typeof writeKey !== 'string' || !WRITE_KEY.test(writeKey)) {
      throw new SourceError(
        'That is not a Segment write key: it has to be 8 to 128 letters, digits, dashes or underscores.',
        'Segment would answer 200 and drop every event.',
        'Copy the write key from the source’s settings in Segment, under API Keys.',
      )
    }
    const verification = await verifyWriteKey(writeKey, region, this.#verify)
    if (verification === 'unknown' && !insist) {
      throw new SourceError(
        `Segment does not know the write key that ends in ${writeKey.slice(-4)}.`,
        'It would answer 200 and drop every event.',
        'Copy the write key again from the source’s settings in Segment, and check the workspace’s region.',
      )
    }
    return verification
  }

  async #existing(sourceId: string): Promise<Source> {
    const [source] = await this.#db.query<Source>(
      `SELECT ${columns} FROM ${this.#db.tables.source} WHERE source_id = $1`,
      [sourceId],
    )
    return source ?? this.#missing(sourceId)
  }

  #missing(sourceId: string): never {
    throw new SourceError(
      `There is no source ${sourceId}.`,
      'Nothing was changed.',
      'Look the portal’s source up with `sources.ofPortal(portalId)`.',
    )
  }

  /** Changes the configuration and ends any back-off: a person has just looked at it. */
  async #update(sourceId: string, change: string, parameters: unknown[] = []): Promise<Source> {
    const t = this.#db.tables
    const [source] = await this.#db.query<Source>(
      `WITH changed AS (
         UPDATE ${t.source} SET ${change}, updated_at = clock_timestamp() WHERE source_id = $1 RETURNING *
       ), due AS (
         UPDATE ${t.delivery} d SET resume_at = '-infinity', failures = 0 FROM changed c WHERE d.source_id = c.source_id
       )
       SELECT ${columns} FROM changed`,
      [sourceId, ...parameters],
    )
    if (source === undefined) return this.#missing(sourceId)
    this.#changed()
    return source
  }
}

const connectSql = (t: Tables) => `
WITH connected AS (
  INSERT INTO ${t.source} (source_id, portal_id, region, detailed_events, verification, verified_at,
                           write_key_ciphertext, write_key_secret_id, write_key_last_four)
  VALUES ($1, $2, $3, $4, $5, CASE WHEN $5 = 'unverified' THEN NULL ELSE clock_timestamp() END, $6, $7, $8)
  ON CONFLICT (portal_id) WHERE status <> 'disabled' DO NOTHING
  RETURNING *
), delivery AS (
  INSERT INTO ${t.delivery} (source_id) SELECT source_id FROM connected
)
SELECT ${columns} FROM connected`
