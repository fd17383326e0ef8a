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
  const [{ answer }] = (await runner.query(recordSql(tables), parameters)) as [{ answer: string }]
  reached('record:after')
  const answers = answer.split(',')
  const sources = addressOf.map((address) => answers[address - 1] ?? '')
  const written = answers.slice(addresses.portals.length)
  const allWritten = sources.filter(isSource).length === written.length
  const recorded = new Map<string, RecordedMessages>()
  let place = 0
  const results = calls.map((call, i): Recorded => {
    const { problems } = call
    const sourceId = sources[i] as string
    if (!isSource(sourceId)) {
      const outcome = sourceId === 'off' ? 'detailed-off' : 'no-source'
      return { outcome, ...(problems.length > 0 ? { problems } : {}) }
    }
    // Rows are written in the order of the calls. Where each call has one, its id need not be computed here as well.
    const messageId = allWritten ? (written[place] as string) : messageIdIn(sourceId, call)
    // Two calls of one statement with the same natural key share one row: the first is the recorded one.
    if (messageId !== written[place]) return { outcome: 'duplicate', messageId }
    place++
    if (problems.length > 0) return { outcome: 'diverted', messageId, problems }
    const messages = (recorded.get(sourceId)?.messages ?? 0) + 1
    recorded.set(sourceId, { sourceId, portalId: call.portal_id ?? '', messages })
    return { outcome: 'recorded', messageId }
  })
  return { results, recorded: recorded.values() }
}

/** What the function answers for an address: a source's id, or why there is none. */
function isSource(answer: string): boolean {
  return answer !== '' && answer !== 'off'
}

function messageIdIn(sourceId: string, call: PreparedCall): string {
  return call.message_id ?? messageIdOf(sourceId, call.fact)
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
  { body, wire_bytes, schema_hash, trace_parent, fact, message_id, problems }: PreparedCall,
  address: number,
): string {
  const reason = problems.length > 0 ? problems.join('; ') : null
  const rest = JSON.stringify({ address, wire_bytes, schema_hash, trace_parent, fact, message_id, reason })
  return `{"body":${body},${rest.slice(1)}`
}
