import type { Evidence } from './evidence'

/**
 * I8: poison dies alone, and finding it costs at most 2·⌈log2 n⌉ further requests for each poison of a batch of n. Each
 * half is a batch of its own, so the batches below a refused one are counted.
 */
export function* poisonViolations({ facts, rows, batches, choices }: Evidence): Iterable<string> {
  const factOf = new Map(facts.map((fact) => [fact.messageId, fact]))
  for (const row of rows) {
    const kind = factOf.get(row.messageId)?.kind
    if (kind === 'good' && row.status === 'dead') yield `dead without being poison: ${row.messageId}`
    if (kind === 'poison' && row.status === 'delivered' && !choices.marked.has(row.messageId))
      yield `poison delivered: ${row.messageId}`
  }
  const children = new Map<number | null, typeof batches>()
  for (const batch of batches) children.set(batch.parentId, [...(children.get(batch.parentId) ?? []), batch])
  const below = (id: number): number =>
    (children.get(id) ?? []).reduce((sum, child) => sum + 1 + below(child.batchId), 0)
  for (const root of children.get(null) ?? []) {
    const poison = root.messageIds.filter((id) => factOf.get(id)?.kind === 'poison').length
    const bound = poison * 2 * Math.ceil(Math.log2(root.messageIds.length))
    if (below(root.batchId) > bound)
      yield `${below(root.batchId)} further requests for ${poison} poison of ${root.messageIds.length}`
  }
}
