import { messageId } from '../../src/plan/message-id'
import type { Evidence, Fact, WireRequest } from './evidence'
import { orderViolations } from './order-invariant'
import { poisonViolations } from './poison-invariant'

/** Answers that say for certain that nothing was accepted. */
const NOT_ACCEPTED = new Set([400, 401, 403, 413, 429])
/** Ends of an attempt after which Segment may have the messages. */
const DOUBTFUL = new Set(['ambiguous', 'lost'])
/** From the look at the window to the request on the wire: one statement and one hand-over. */
const SLACK_MS = 5_000

type Check = (evidence: Evidence) => Iterable<string>

/** All that is promised, checked in full. Returns what is broken, each with its invariant's name; empty when all holds. */
export function violations(evidence: Evidence): string[] {
  return Object.entries(checks).flatMap(([name, check]) =>
    [...check(evidence)].map((what) => `${name}: ${what}`),
  )
}

const checks: Record<string, Check> = {
  *'I1 atomic'({ facts, rows, requests }) {
    const known = new Set(facts.map((fact) => fact.messageId))
    const stored = new Set(rows.map((row) => row.messageId))
    for (const id of known) if (!stored.has(id)) yield `committed and without a row: ${id}`
    for (const id of stored) if (!known.has(id)) yield `a row that nothing committed: ${id}`
    if (known.size !== facts.length) yield 'one row for two facts'
    const sent = new Set(requests.flatMap((request) => request.messageIds))
    for (const id of sent) if (!known.has(id)) yield `on the wire and never committed: ${id}`
  },

  *'I2 nothing lost'({ rows, sources, accepted, requests, choices }) {
    const status = new Map(sources.map((source) => [source.sourceId, source.status]))
    const arrived = new Set(accepted.map((message) => message.messageId))
    for (const row of rows) {
      const held = status.get(row.sourceId) !== 'enabled'
      if (row.status === 'pending' && !held) yield `still pending: ${row.messageId}`
      if (['dead', 'uncertain', 'discarded'].includes(row.status) && !row.reason)
        yield `${row.status} without a reason: ${row.messageId}`
      if (row.status === 'delivered' && !arrived.has(row.messageId) && !choices.marked.has(row.messageId))
        yield `delivered and never arrived: ${row.messageId}`
      if (row.status === 'discarded' && !choices.discarded.has(row.messageId))
        yield `discarded by nobody: ${row.messageId}`
    }
    for (const { at, messageIds } of requests)
      for (const id of messageIds)
        if (at > (choices.discarded.get(id) ?? Number.POSITIVE_INFINITY))
          yield `sent after it was discarded: ${id}`
  },

  *'I3 one id'({ facts, sources, rows, accepted }) {
    const portalOf = new Map(sources.map((source) => [source.sourceId, source.portalId]))
    const rowOf = new Map(rows.map((row) => [row.messageId, row]))
    const factOf = new Map(facts.map((fact) => [fact.messageId, fact]))
    for (const { messageId: id, sourceId, name, kind } of facts) {
      if (name && kind !== 'bad' && id !== messageId(sourceId, name.event, name.key))
        yield `not the id of ${name.event} ${name.key}: ${id}`
      const row = rowOf.get(id)
      if (row && row.sourceId !== sourceId) yield `stored for another source: ${id}`
      if (row && row.portalId !== portalOf.get(sourceId)) yield `stored for another portal: ${id}`
    }
    for (const { messageId: id, sourceId, key } of accepted) {
      const fact = factOf.get(id)
      if (fact && fact.sourceId !== sourceId) yield `sent with another source's write key: ${id}`
      if (fact && fact.name?.key !== key) yield `arrived under the id of another fact: ${id}`
    }
  },

  *'I4 the window'({ requests, windowMs, accepted, rows, batches, choices }) {
    const since = new Map<string, number>()
    for (const request of requests) {
      for (const id of request.messageIds) {
        const first = since.get(id)
        if (first !== undefined && request.at > first + windowMs + SLACK_MS && !choices.sentAgain.has(id))
          yield `sent again ${Math.round((request.at - first) / 60_000)} min after it may have been accepted: ${id}`
        if (first === undefined && mayBeAccepted(request)) since.set(id, request.at)
      }
    }
    const arrived = new Set<string>()
    for (const { messageId: id } of accepted) {
      if (arrived.has(id) && !choices.sentAgain.has(id)) yield `accepted twice: ${id}`
      arrived.add(id)
    }
    const batchOf = new Map(batches.map((batch) => [batch.batchId, batch]))
    for (const row of rows.filter(({ status }) => status === 'uncertain')) {
      const batch = batchOf.get(row.batchId ?? 0)
      if (!batch || batch.ambiguousMs === null || batch.ambiguousMs < windowMs)
        yield `uncertain before the window was over: ${row.messageId}`
      let open = batch
      while (open && !open.verdicts.some((verdict) => DOUBTFUL.has(verdict)))
        open = batchOf.get(open.parentId ?? 0)
      if (!open) yield `uncertain, and no attempt was in doubt: ${row.messageId}`
    }
  },

  *'I5 proof'({ rows, requests, choices }) {
    const proven = new Set(requests.filter(isProof).flatMap((request) => request.messageIds))
    for (const row of rows)
      if (row.status === 'delivered' && !proven.has(row.messageId) && !choices.marked.has(row.messageId))
        yield `delivered, and no request that held it was answered 200: ${row.messageId}`
  },

  *'I6 one batch in flight'({ flights, settlements }) {
    for (const { sourceId, token, latest } of settlements)
      if (token < latest) yield `lease ${token} of ${sourceId} still settled after lease ${latest} was taken`
    const sorted = [...flights].sort((a, b) => a.from - b.from)
    for (const [i, flight] of sorted.entries()) {
      for (const later of sorted.slice(i + 1)) {
        if (later.from >= flight.to) break
        if (later.sourceId !== flight.sourceId) continue
        if (later.token === flight.token)
          yield `two requests under lease ${flight.token} of ${flight.sourceId}`
        else if (later.process === flight.process)
          yield `${flight.process} sends twice for ${flight.sourceId}`
      }
    }
  },

  'I7 order': orderViolations,

  'I8 poison': poisonViolations,

  *'I10 the exam comes first'({ facts, rows, requests, choices }) {
    const bad = new Set(facts.filter(isBad).map((fact) => fact.messageId))
    for (const row of rows)
      if (bad.has(row.messageId) && row.status !== 'dead' && !choices.discarded.has(row.messageId))
        yield `bad and not diverted: ${row.messageId}`
    for (const id of requests.flatMap((request) => request.messageIds))
      if (bad.has(id)) yield `bad and sent: ${id}`
  },
}

function isBad(fact: Fact): boolean {
  return fact.kind === 'bad'
}

/** As its sender has to see it: whatever is not certainly refused may have been accepted. */
function mayBeAccepted({ status }: WireRequest): boolean {
  return status === undefined || !NOT_ACCEPTED.has(status)
}

function isProof({ status, fault, cut }: WireRequest): boolean {
  return status === 200 && !cut && (fault === undefined || fault === 'delay')
}
