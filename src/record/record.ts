import type { QueryRunner } from 'typeorm'
import { reached } from '../steps'
import type { Tables } from '../tables'
import type { Recorded } from './calls'
import type { PreparedCall } from './prepare'
import type { RecordedMessages } from './transactions'

/** See record-function.ts. */
const recordSql = (t: Tables) => `SELECT * FROM ${t.record}($1::jsonb)`

interface Answer {
  source_id: string | null
  off: boolean | null
  id: string | null
  inserted: boolean
}

/** Writes the prepared calls in the runner's transaction. Returns what became of each, and what there is to send. */
export async function writeMessages(
  runner: QueryRunner,
  tables: Tables,
  calls: readonly PreparedCall[],
): Promise<{ results: Recorded[]; recorded: Iterable<RecordedMessages> }> {
  const rows = calls.map(({ problems, ...row }, i) => ({
    ...row,
    i,
    reason: problems.length > 0 ? problems.join('; ') : null,
  }))
  reached('record:before')
  const answers: Answer[] = await runner.query(recordSql(tables), [JSON.stringify(rows)])
  reached('record:after')
  const recorded = new Map<string, RecordedMessages>()
  const seen = new Set<string>()
  const results = answers.map((answer, i): Recorded => {
    const problems = calls[i]?.problems ?? []
    const reported = problems.length > 0 ? { problems } : {}
    if (answer.source_id === null || answer.id === null) return { outcome: 'no-source', ...reported }
    if (answer.off) return { outcome: 'detailed-off', ...reported }
    // Two calls of one statement with the same natural key share one row: the first is the recorded one.
    if (!answer.inserted || seen.has(answer.id)) return { outcome: 'duplicate', messageId: answer.id }
    seen.add(answer.id)
    if (problems.length > 0) return { outcome: 'diverted', messageId: answer.id, problems }
    const { source_id: sourceId } = answer
    const messages = (recorded.get(sourceId)?.messages ?? 0) + 1
    recorded.set(sourceId, { sourceId, portalId: calls[i]?.portal_id ?? '', messages })
    return { outcome: 'recorded', messageId: answer.id }
  })
  return { results, recorded: recorded.values() }
}
