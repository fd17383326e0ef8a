import { randomUUID } from 'node:crypto'
import type { AuditAction, Region, SourceStatus, Verification } from '../../entities'
import type { Database } from '../database'
import { SourceError } from '../errors'
import { checkResponsibility, type Responsibility } from '../operate/selection'
import { type VerifyOptions, verifyWriteKey } from '../segment/verify-write-key'
import type { Tables } from '../tables'
import { auditedChange } from './audited-change'
import { type RotationReport, rotateSecrets } from './rotate-secrets'
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
  /**
   * Disable the portal's active source, if there is one, in the same statement: nothing is recorded for both, nothing
   * for neither. What waits for the old one is held. Default false.
   */
  replace?: boolean
  /** Who does it, and why, for the audit. */
  by?: Responsibility
}

const columns = `source_id AS "sourceId", portal_id AS "portalId", region, status, detailed_events AS "detailedEvents",
  verification, verified_at AS "verifiedAt", write_key_last_four AS "writeKeyLastFour", created_at AS "createdAt",
  updated_at AS "updatedAt"`

/** Sources of one page of `list`. */
const PAGE = 1000
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
   * workspace use `saveWriteKey`. Throws SourceError where the portal has an active source already, unless `replace` is set.
   */
  async connect(options: ConnectOptions): Promise<Source> {
    const { portalId, writeKey, region = 'us', detailedEvents = false, replace = false } = options
    if (typeof portalId !== 'string' || portalId === '') {
      throw new SourceError(
        'misuse',
        'No portalId is given.',
        'A source belongs to one portal.',
        'Pass the portal’s id.',
      )
    }
    const { actor, reason } = responsible(options.by)
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
      replace,
      actor,
      reason,
    ])
    if (source === undefined) {
      throw new SourceError(
        'connected-already',
        `The portal ${portalId} is connected to Segment already.`,
        'Two active sources would send each event twice.',
        'Save a new key of the same workspace with `saveWriteKey`, or connect another workspace with `replace`.',
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

  /** Sources of all portals, disabled ones too, in the order of portals: up to 1000 after the source `after`. */
  async list(page: { after?: Pick<Source, 'portalId' | 'sourceId'> } = {}): Promise<Source[]> {
    return this.#db.query<Source>(
      `SELECT ${columns} FROM ${this.#db.tables.source}
       WHERE $1::text IS NULL OR (portal_id, source_id) > ($1, $2::uuid)
       ORDER BY portal_id, source_id LIMIT ${PAGE}`,
      [page.after?.portalId ?? null, page.after?.sourceId ?? null],
    )
  }

  /** Replaces the key of the same workspace: what waits goes out with the new one, at once, under the same ids. */
  async saveWriteKey(
    sourceId: string,
    writeKey: string,
    options: { region?: Region; insist?: boolean; by?: Responsibility } = {},
  ): Promise<Source> {
    const current = await this.#existing(sourceId)
    const region = options.region ?? current.region
    const verification = await this.#check(writeKey, region, options.insist)
    const { ciphertext, secretId } = this.#cipher.encrypt(sourceId, writeKey)
    return this.#update(
      sourceId,
      'save write key',
      options.by,
      `write_key_ciphertext = $4, write_key_secret_id = $5, write_key_last_four = $6, region = $7, verification = $8,
       verified_at = CASE WHEN $8 = 'unverified' THEN NULL ELSE clock_timestamp() END,
       write_key_version = write_key_version + 1`,
      [ciphertext, secretId, writeKey.slice(-4), region, verification],
    )
  }

  /** Switches Detailed Event Tracking for what is recorded from now on. */
  async setDetailedEvents(sourceId: string, detailedEvents: boolean, by?: Responsibility): Promise<Source> {
    return this.#update(sourceId, 'change settings', by, 'detailed_events = $4', [detailedEvents])
  }

  /** Holds what waits and what is recorded from now on. */
  async pause(sourceId: string, by?: Responsibility): Promise<Source> {
    return this.#update(sourceId, 'pause', by, `status = 'paused'`)
  }

  /** Ends its back-off: an enabled source sends again from now. A paused or disabled one stays so. */
  async retryNow(sourceId: string, by?: Responsibility): Promise<Source> {
    return this.#update(sourceId, 'retry now', by)
  }

  /**
   * Sends again, from now, whatever its back-off was. Enables a paused or a disabled source. Throws SourceError where
   * the portal has connected another one since.
   */
  async resume(sourceId: string, by?: Responsibility): Promise<Source> {
    try {
      return await this.#update(sourceId, 'resume', by, `status = 'enabled'`)
    } catch (error) {
      if ((error as { driverError?: { code?: string } }).driverError?.code !== UNIQUE_VIOLATION) throw error
      throw new SourceError(
        'connected-already',
        `The portal of source ${sourceId} has another active source.`,
        'Two active sources would send each event twice.',
        'Disable the other one first: `sources.ofPortal(portalId)` tells which it is.',
        error,
      )
    }
  }

  /** Records nothing new; what waits is held, until the source is resumed or an operator discards it. */
  async disable(sourceId: string, by?: Responsibility): Promise<Source> {
    return this.#update(sourceId, 'disable', by, `status = 'disabled'`)
  }

  /**
   * Encrypts all write keys again with the first of the secret keys, so that the others can be taken away. The keys
   * themselves stay: no lease is disturbed, nothing is sent twice. Safe while others save keys, and to be repeated.
   */
  async rotateSecrets(by?: Responsibility): Promise<RotationReport> {
    return rotateSecrets(this.#db, this.#cipher, responsible(by))
  }

  async #check(writeKey: string, region: Region, insist = false): Promise<Verification> {
    if (typeof writeKey !== 'string' || !WRITE_KEY.test(writeKey)) {
      throw new SourceError(
        'malformed-key',
        'That is not a Segment write key: it has to be 8 to 128 letters, digits, dashes or underscores.',
        'Segment would answer 200 and drop every event.',
        'Copy the write key from the source’s settings in Segment, under API Keys.',
      )
    }
    const verification = await verifyWriteKey(writeKey, region, this.#verify)
    if (verification === 'unknown' && !insist) {
      throw new SourceError(
        'unknown-key',
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
      'no-such-source',
      `There is no source ${sourceId}.`,
      'Nothing was changed.',
      'Look the portal’s source up with `sources.ofPortal(portalId)`.',
    )
  }

  /**
   * Changes the configuration, ends any back-off (a person has just looked at it), and leaves an audit entry where it
   * is known who did it.
   *
   * @param change SQL; its parameters are from `$4` on. Without one nothing but the back-off changes.
   */
  async #update(
    sourceId: string,
    action: AuditAction,
    by: Responsibility | undefined,
    change?: string,
    parameters: unknown[] = [],
  ): Promise<Source> {
    const t = this.#db.tables
    const { actor, reason } = responsible(by)
    const changed =
      change === undefined
        ? `SELECT * FROM ${t.source} WHERE source_id = $1`
        : `UPDATE ${t.source} SET ${change}, updated_at = clock_timestamp() WHERE source_id = $1 RETURNING *`
    const [source] = await this.#db.query<Source>(
      `WITH changed AS (${changed}
       ), due AS (
         UPDATE ${t.delivery} d SET resume_at = '-infinity', failures = 0 FROM changed c WHERE d.source_id = c.source_id
       ), ${auditedChange(t, action, { from: 'changed', actor: '$2', reason: '$3' })}
       SELECT ${columns} FROM changed`,
      [sourceId, actor, reason, ...parameters],
    )
    if (source === undefined) return this.#missing(sourceId)
    this.#changed()
    return source
  }
}

/** Who did it, for a statement's parameters: nulls where it is not known, and then no audit entry is written. */
function responsible(by: Responsibility | undefined): { actor: string | null; reason: string | null } {
  if (by !== undefined) checkResponsibility(by)
  return { actor: by?.actor ?? null, reason: by?.reason ?? null }
}

/** The new source asks what became of the old one, so that it is tried for the portal's one place when that is free. */
const connectSql = (t: Tables) => `
WITH replaced AS (
  UPDATE ${t.source} SET status = 'disabled', updated_at = clock_timestamp()
  WHERE $9::boolean AND portal_id = $2 AND status <> 'disabled'
  RETURNING source_id
), connected AS (
  INSERT INTO ${t.source} (source_id, portal_id, region, detailed_events, verification, verified_at,
                           write_key_ciphertext, write_key_secret_id, write_key_last_four)
  SELECT $1::uuid, $2, $3, $4::boolean, $5, CASE WHEN $5 = 'unverified' THEN NULL ELSE clock_timestamp() END,
         $6::bytea, $7, $8
  WHERE (SELECT count(*) FROM replaced) >= 0
  ON CONFLICT (portal_id) WHERE status <> 'disabled' DO NOTHING
  RETURNING *
), delivery AS (
  INSERT INTO ${t.delivery} (source_id) SELECT source_id FROM connected
), ${auditedChange(t, 'disable', {
  from: 'replaced',
  actor: '$10',
  reason: '$11',
})}, ${auditedChange(t, 'connect', { from: 'connected', actor: '$10', reason: '$11' })}
SELECT ${columns} FROM connected`
