import type { Database } from '../database'
import type { Tables } from '../tables'
import type { Responsibility, Selection } from './selection'

/** Messages changed by one statement. */
const CHUNK = 1000

/** SQL: the audit entry of a statement with a CTE `changed`. `$1` is the actor, `$2` the reason, `$3` the selection. */
export function audited(t: Tables, action: 'send again' | 'mark delivered' | 'discard'): string {
  return `audited AS (
  INSERT INTO ${t.audit} (actor, reason, selection, messages, action)
  SELECT $1, $2, $3::jsonb, count(*), '${action}' FROM changed HAVING count(*) > 0
)`
}

/**
 * Repeats an audited statement that changes up to `$4` messages until it finds no more. Returns how many it changed.
 *
 * @param parameters of the statement from `$5` on
 */
export async function changeInChunks(
  db: Database,
  sql: string,
  selection: Selection,
  { actor, reason }: Responsibility,
  parameters: readonly unknown[],
): Promise<number> {
  let total = 0
  for (let n = CHUNK; n === CHUNK; total += n) {
    const all = [actor, reason, JSON.stringify(selection), CHUNK, ...parameters]
    const [row] = await db.query<{ n: number }>(sql, all)
    n = row?.n ?? 0
  }
  return total
}
