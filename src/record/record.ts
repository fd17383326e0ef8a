import type { QueryRunner } from 'typeorm'
import { messageIdOf } from '../plan/message-id'
import { reached } from '../steps'
import type { Tables } from '../tables'
import type { Recorded } from './calls'
import type { PreparedCall } from './prepare'
import type { RecordedMessages } from './transactions'

/** See record-function.ts. */
const recordSql = (t: Tables) => `SELECT ${t.record}($1, $2, $3) AS answer`

/** Writes the prepared calls in the runner's transaction. Returns what became of each, and what there is to send. */
export async function writeMessages(
  runner: QueryRunner,
  tables: Tables,
  calls: readonly PreparedCall[],
): Promise<{ results: Recorded[]; recorded: Iterable<RecordedMessages> }> {
  const addresses = new Addresses()
  const addressOf = calls.map((call) => addresses.of(call))
  const rows = calls.map((call, i) => rowOf(call, addressOf[i] as number))
  const parameters = [addresses.portals, addresses.detailed, `[${rows.join(',')}]`]
  reached('record:before')
  const rowsBack: { answer: string | null }[] = await runner.query(recordSql(tables), parameters)
  reached('record:after')
  const answers = rowsBack.map(({ answer }) => answer)
  const sources = answers.slice(0, addresses.portals.length)
  const written = new Set(answers.slice(addresses.portals.length))
  const recorded = new Map<string, RecordedMessages>()
  const results = calls.map((call, i): Recorded => {
    const { problems } = call
    const reported = problems.length > 0 ? { problems } : {}
    const sourceId = sources[(addressOf[i] as number) - 1] ?? null
    if (sourceId === null) return { outcome: 'no-source', ...reported }
    if (sourceId === 'off') return { outcome: 'detailed-off', ...reported }
    const messageId = call.message_id === null ? messageIdOf(sourceId, call.digest) : call.message_id
    // Two calls of one statement with the same natural key share one row: the first is the recorded one.
    if (!written.delete(messageId)) return { outcome: 'duplicate', messageId }
    if (problems.length > 0) return { outcome: 'diverted', messageId, problems }
    const messages = (recorded.get(sourceId)?.messages ?? 0) + 1
    recorded.set(sourceId, { sourceId, portalId: call.portal_id ?? '', messages })
    return { outcome: 'recorded', messageId }
  })
  return { results, recorded: recorded.values() }
}

/** Where calls go: each portal once, and once more for its detailed events. Counted from 1, as PostgreSQL's arrays. */
class Addresses {
  readonly portals: (string | null)[] = []
  readonly detailed: boolean[] = []
  readonly #known = new Map<string, number>()

  of({ portal_id: portalId, detailed }: PreparedCall): number {
    const key = `${detailed ? 'd' : ''} ${portalId ?? ''}` // no portal's id is empty
    let address = this.#known.get(key)
    if (address === undefined) {
      address = this.portals.push(portalId)
      this.detailed.push(detailed)
      this.#known.set(key, address)
    }
    return address
  }
}

/** The call as the function reads it. The body, which is JSON already, is not made so once more. */
function rowOf(
  { body, wire_bytes, schema_hash, trace_parent, digest, message_id, problems }: PreparedCall,
  address: number,
): string {
  const reason = problems.length > 0 ? problems.join('; ') : null
  const rest = JSON.stringify({ address, wire_bytes, schema_hash, trace_parent, digest, message_id, reason })
  return `{"body":${body},${rest.slice(1)}`
}
