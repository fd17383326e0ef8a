import type { Database } from '../../database'
import { OperationError } from '../../errors'
import { checkLimit, checkUuid } from './check-input'
import type { AuditEntry } from './types'

export interface AuditOptions {
  /** `auditId` of the last entry of the page before. */
  before?: string
  /** 1 to 500. Default 50. */
  limit?: number
  sourceId?: string
}

/** SQL: an audit row as an AuditEntry. */
export const auditColumns = `audit_id::text AS "auditId", at, actor, action, reason, messages,
  source_id AS "sourceId", selection`

/** What people did, newest first. Throws OperationError where an option is no good. */
export async function readAudit(db: Database, options: AuditOptions = {}): Promise<AuditEntry[]> {
  const { before, sourceId } = options
  const limit = checkLimit(options.limit, 50, 500)
  checkUuid('sourceId', sourceId)
  if (before !== undefined && !/^\d{1,18}$/.test(before)) {
    throw new OperationError(
      '`before` is not the id of an audit entry.',
      'Reading on from somewhere else would leave entries out.',
      'Pass the `auditId` of the last entry you have.',
    )
  }
  const sql = `SELECT ${auditColumns} FROM ${db.tables.audit}
    WHERE ($1::bigint IS NULL OR audit_id < $1) AND ($2::uuid IS NULL OR source_id = $2)
    ORDER BY audit_id DESC LIMIT $3`
  return db.query<AuditEntry>(sql, [before ?? null, sourceId ?? null, limit])
}
