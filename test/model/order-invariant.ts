import type { Evidence, Fact } from './evidence'

/**
 * I7, in its two forms. By transactions: what was recorded in a transaction that began after another's commit is never
 * accepted before it. By `seq`: where both were visible when the later one's batch was formed, the lower goes first.
 * A message that never arrived (dead, uncertain, held) has no place in the order; one that an operator redrove went to
 * the end of the queue.
 */
export function* orderViolations({ facts, rows, batches, accepted, choices }: Evidence): Iterable<string> {
  const place = new Map<string, number>()
  for (const [i, { messageId }] of accepted.entries()) if (!place.has(messageId)) place.set(messageId, i)
  const seq = new Map(rows.map((row) => [row.messageId, row.seq]))
  const formed = formedAt(batches)
  for (const group of bySource(
    facts.filter(({ messageId: id }) => place.has(id) && !choices.redriven.has(id)),
  )) {
    const arrivals = [...group].sort((a, b) => at(place, a) - at(place, b))
    for (const [i, first] of arrivals.entries()) {
      for (const second of arrivals.slice(i + 1)) {
        if (first.began > second.committed)
          yield `accepted before what had committed before it began: ${pair(first, second)}`
        const visible = second.visibleAt < (formed.get(first.messageId) ?? Number.NEGATIVE_INFINITY)
        if (visible && at(seq, second) < at(seq, first)) yield `accepted against seq: ${pair(first, second)}`
      }
    }
  }
}

function at(map: ReadonlyMap<string, number>, { messageId }: Fact): number {
  return map.get(messageId) ?? Number.NaN
}

function pair(first: Fact, second: Fact): string {
  return `${first.messageId}, then ${second.messageId}`
}

/** When the first batch that holds a message began its first attempt. */
function formedAt(batches: Evidence['batches']): Map<string, number> {
  const formed = new Map<string, number>()
  for (const { messageIds, firstAttemptAt } of batches) {
    if (firstAttemptAt === null) continue
    for (const id of messageIds) formed.set(id, Math.min(firstAttemptAt, formed.get(id) ?? firstAttemptAt))
  }
  return formed
}

function bySource(facts: readonly Fact[]): Iterable<Fact[]> {
  const groups = new Map<string, Fact[]>()
  for (const fact of facts) groups.set(fact.sourceId, [...(groups.get(fact.sourceId) ?? []), fact])
  return groups.values()
}
