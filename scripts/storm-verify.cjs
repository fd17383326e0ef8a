/**
 * Compares what arrived with the business table, exactly. Pure, so that it can be shown to notice what it is for.
 *
 * A fact is a row of the business table: `{ n, sourceId, key, poison, messageId, status, xid, snapshot }`, with the
 * status of its message (null: no row), its transaction's id, and what that transaction saw when it began, as
 * `{ xmin, xmax, running }` (PostgreSQL's pg_snapshot). `n` is drawn in the order of recording.
 * An arrival is `{ messageId, sourceId, key }`, in the order in which Segment accepted them.
 */
exports.compare = function compare(facts, arrivals, idOf) {
  const factOf = new Map(facts.map((fact) => [fact.messageId, fact]))
  const seen = new Set()
  const names = new Set()
  const report = {
    lost: 0,
    duplicatesAfterDedup: 0,
    leaked: 0,
    wrongIds: 0,
    orderViolations: 0,
    dead: 0,
    uncertain: 0,
  }
  for (const { messageId, sourceId, key } of arrivals) {
    const fact = factOf.get(messageId)
    const name = `${sourceId} ${key}`
    if (seen.has(messageId) || names.has(name)) report.duplicatesAfterDedup++
    seen.add(messageId)
    names.add(name)
    if (fact === undefined) report.leaked++
    else if (fact.sourceId !== sourceId || fact.key !== key) report.wrongIds++
  }
  for (const fact of facts) {
    if (fact.messageId !== idOf(fact.sourceId, fact.key)) report.wrongIds++
    if (fact.status === 'dead') report.dead++
    if (fact.status === 'uncertain') report.uncertain++
    if (fact.status !== expectedEnd(fact) && fact.status !== 'uncertain') report.lost++
    else if (fact.status === 'delivered' && !seen.has(fact.messageId)) report.lost++
    if (fact.poison && seen.has(fact.messageId)) report.leaked++
  }
  const arrived = arrivals.map(({ messageId }) => factOf.get(messageId)).filter((fact) => fact !== undefined)
  for (const ofSource of groups(arrived)) report.orderViolations += misplaced(ofSource)
  return report
}

function expectedEnd({ poison }) {
  return poison ? 'dead' : 'delivered'
}

function groups(facts) {
  const bySource = new Map()
  for (const fact of facts) {
    if (!bySource.has(fact.sourceId)) bySource.set(fact.sourceId, [])
    bySource.get(fact.sourceId).push(fact)
  }
  return bySource.values()
}

/** Pairs of one source that arrived against the order: the second was committed before the first began, or recorded before it in the same transaction. */
function misplaced(facts) {
  // The lowest transaction id from each place on: beyond it, nothing can have been visible to an earlier one.
  const lowest = new Array(facts.length)
  for (let i = facts.length - 1; i >= 0; i--) {
    const { xid } = facts[i]
    lowest[i] = i + 1 < facts.length && lowest[i + 1] < xid ? lowest[i + 1] : xid
  }
  let pairs = 0
  for (const [i, first] of facts.entries()) {
    for (let j = i + 1; j < facts.length && lowest[j] < first.snapshot.xmax; j++) {
      if (isVisible(facts[j].xid, first.snapshot)) pairs++
    }
    const next = facts[i + 1]
    if (next && next.xid === first.xid && next.n < first.n) pairs++
  }
  return pairs
}

/** As pg_visible_in_snapshot has it, for a transaction that committed. */
function isVisible(xid, { xmin, xmax, running }) {
  return xid < xmin || (xid < xmax && !running.has(xid))
}
