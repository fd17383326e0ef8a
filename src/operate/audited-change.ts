import type { AuditAction } from '../../entities'
import type { Database } from '../database'
import type { Tables } from '../tables'
import type { Responsibility, Selection } from './selection'

/** Messages changed by one statement. */
export const CHUNK = 1000

/** SQL: the audit entry of a statement with a CTE `changed`. `$1` is the actor, `$2` the reason, `$3` the selection. */
export function audited(t: Tables, action: AuditAction): string {
  return `audited AS (
  INSERT INTO ${t.audit} (actor, reason, selection, messages, action)
  SELECT $1, $2, $3::jsonb, count(*), '${action}' FROM changed HAVING count(*) > 0
)`
}

/** What long work tells while it is at it, and how it is told to stop. */
export interface Progress {
  /** Called after each chunk with the number of messages that are done so far. What it throws ends the work there. */
  onProgress?: (done: number) => void
  /** Once aborted, no further chunk begins. What is done stays done, and is in the report and in the audit. */
  signal?: AbortSignal
}

/**
 * Repeats an audited statement that changes up to `$4` messages until it finds no more, or is told to stop. Returns
 * how many it changed.
 *
 * @param parameters of the statement from `$5` on
 * @param done messages that earlier statements of the same operation changed
 */
export async function changeInChunks(
  db: Database,
  sql: string,
  selection: Selection,
  { actor, reason, onProgress, signal }: Responsibility & Progress,
  parameters: readonly unknown[],
  done = 0,
): Promise<number> {
  let total = 0
  for (let n = CHUNK; n === CHUNK && !signal?.aborted; ) {
    const all = [actor, reason, JSON.stringify(selection), CHUNK, ...parameters]
    const [row] = await db.query<{ n: number }>(sql, all)
    n = row?.n ?? 0
    total += n
    if (n > 0) onProgress?.(done + total)
  }
  return total
}
