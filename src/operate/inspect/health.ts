import type { Database } from '../../database'
import type { Tables } from '../../tables'
import { type Health, SOURCE_COUNT_LIMIT } from './types'
import { ageMsSql, countInLineSql, oldestSql, waitingSql } from './waiting'
import { duration } from './words'

/** What this process knows of its own dispatching. */
export interface OwnDispatch {
  readonly dispatching: boolean
  readonly lastTickAt: Date | null
  /** Longest time between two ticks of its schedule. */
  readonly intervalMs: number
}

/** How long the database may take to answer before it counts as unavailable: load balancers ask every few seconds. */
const PATIENCE_MS = 2000
/** Lag from which someone should look. Back-off reaches a minute by itself. */
const LAG_MS = 5 * 60_000

const healthSql = (t: Tables) => `
WITH RECURSIVE ${waitingSql(t)}, ${oldestSql(t)}, ${countInLineSql(t, SOURCE_COUNT_LIMIT)}
SELECT (SELECT pending FROM in_line) AS pending,
       (SELECT ${ageMsSql('at')} FROM oldest) AS "lagMs"`

/** Whether all is well, for load balancers and alerting. Never throws, and answers within about two seconds. */
export async function readHealth(db: Database, own: OwnDispatch): Promise<Health> {
  const { dispatching, lastTickAt } = own
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${duration(PATIENCE_MS)}`)), PATIENCE_MS)
  })
  try {
    const query = db.query<{ pending: number; lagMs: number | null }>(healthSql(db.tables))
    query.catch(() => undefined) // may still fail when nobody waits for it any more
    const [row] = await Promise.race([query, late])
    const { pending = 0, lagMs = null } = row ?? {}
    const problems = problemsOf(lagMs, own)
    return {
      status: problems.length > 0 ? 'attention' : 'ok',
      problems,
      pending,
      lagMs,
      dispatching,
      lastTickAt,
    }
  } catch (error) {
    // What a driver says of a connection may name its host and user: that is for logs, and not for a load balancer.
    const problems = [`the database does not answer (${codeOf(error)})`]
    return { status: 'unavailable', problems, pending: null, lagMs: null, dispatching, lastTickAt }
  } finally {
    clearTimeout(timer)
  }
}

function problemsOf(lagMs: number | null, { dispatching, lastTickAt, intervalMs }: OwnDispatch): string[] {
  const problems: string[] = []
  if (lagMs !== null && lagMs > LAG_MS)
    problems.push(`the oldest pending message has waited for ${duration(lagMs)}`)
  const silent = lastTickAt === null ? 0 : Date.now() - lastTickAt.getTime()
  if (dispatching && silent > Math.max(3 * intervalMs, 15_000)) {
    problems.push(`the schedule has not ticked in this process for ${duration(silent)}`)
  }
  return problems
}

function codeOf(error: unknown): string {
  const { code, driverError } = error as { code?: unknown; driverError?: { code?: unknown } }
  const known = driverError?.code ?? code
  return typeof known === 'string' ? known : 'it is slow or not connected'
}
