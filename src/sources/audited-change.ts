import type { AuditAction } from '../../entities'
import type { Tables } from '../tables'

/**
 * SQL: a CTE that is named after `from`: one audit entry for each source in the CTE `from`; none where the actor is null.
 *
 * @param by.from a CTE with a `source_id`
 */
export function auditedChange(
  t: Tables,
  action: AuditAction,
  by: { from: string; actor: string; reason: string },
): string {
  return `audited_${by.from} AS (
         INSERT INTO ${t.audit} (actor, reason, action, source_id, messages, selection)
         SELECT ${by.actor}::text, ${by.reason}::text, '${action}', source_id, 0, jsonb_build_object('sourceId', source_id)
         FROM ${by.from} WHERE ${by.actor}::text IS NOT NULL
       )`
}
