import type { Finding } from '../inspect/types'
import { bloat } from './bloat'
import type { Check, Found, Patient } from './check'
import { notice } from './check'
import { clock } from './clock'
import { dispatchers } from './dispatchers'
import { horizon } from './horizon'
import { lag } from './lag'
import { notInWarehouse } from './not-in-warehouse'
import { pooler } from './pooler'
import { retention } from './retention'
import { schema } from './schema'
import { secretKeys } from './secret-keys'
import { sources } from './sources'

const checks: readonly Check[] = [
  schema,
  dispatchers,
  lag,
  sources,
  secretKeys,
  notInWarehouse,
  retention,
  horizon,
  bloat,
  clock,
  pooler,
]
const UNREACHABLE = /^(08|57P0|53)|^E[A-Z]+$/

/**
 * Looks for what really bites. Every check answers, with `ok` where all is well; one that may not look, or fails, says
 * so as a notice. Rejects where the database does not answer at all.
 */
export async function examine(patient: Patient): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const { name, look } of checks) {
    for (const found of [await look(patient).catch(unanswered)].flat())
      findings.push({ check: name, ...found })
  }
  return findings
}

function unanswered(error: unknown): Found {
  const { driverError, code: own } = error as { driverError?: { code?: string }; code?: string }
  const code = driverError?.code ?? own ?? ''
  if (UNREACHABLE.test(code)) throw error
  const said = error instanceof Error ? error.message : String(error)
  return notice(
    `This could not be looked at: ${said}.`,
    'Something may be wrong that is not shown here.',
    code === '42501'
      ? 'Run it as a role that may read the outbox’s tables, or grant pg_monitor to this one.'
      : 'See what the other checks say of the database first.',
  )
}
