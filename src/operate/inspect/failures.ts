import type { Database } from '../../database'
import type { Tables } from '../../tables'
import { checkText, checkUuid } from './check-input'
import { FAILURE_LIMIT, type FailureGroup } from './types'

const GROUPS = 200

const newest = (t: Tables, status: 'dead' | 'uncertain') => `(SELECT * FROM ${t.message} m
  WHERE m.status = '${status}' AND ($1::text IS NULL OR m.portal_id = $1)
    AND ($2::uuid IS NULL OR m.source_id = $2)
  ORDER BY m.recorded_at DESC LIMIT ${FAILURE_LIMIT})`

const failuresSql = (t: Tables) => `
SELECT m.status, m.source_id AS "sourceId", m.portal_id AS "portalId", m.event, m.type, m.reason,
       count(*)::int AS messages, min(m.settled_at) AS "firstAt", max(m.settled_at) AS "lastAt",
       (array_agg(m.message_id ORDER BY m.settled_at DESC))[1] AS example
FROM (${newest(t, 'dead')} UNION ALL ${newest(t, 'uncertain')}) m
GROUP BY m.status, m.source_id, m.portal_id, m.event, m.type, m.reason
ORDER BY "lastAt" DESC, messages DESC, example
LIMIT ${GROUPS}`

/** Dead and uncertain messages by cause. Throws OperationError where the filter is no good. */
export async function groupFailures(
  db: Database,
  filter: { portalId?: string; sourceId?: string } = {},
): Promise<FailureGroup[]> {
  const { portalId, sourceId } = filter
  checkText('portalId', portalId)
  checkUuid('sourceId', sourceId)
  return db.query<FailureGroup>(failuresSql(db.tables), [portalId ?? null, sourceId ?? null])
}
