/** The script's own module, which node runs as it is. */
const { compare } = jest.requireActual<{
  compare(
    facts: readonly ReturnType<typeof fact>[],
    arrivals: ReturnType<typeof arrive>,
    idOf: (sourceId: string, key: string) => string,
  ): Record<string, number>
}>('../../scripts/storm-verify.cjs')

/** The storm's comparison, shown to notice what it is for. */
const fact = (n: number, xid: number, over: object = {}) => ({
  n,
  sourceId: 'source',
  key: `key-${n}`,
  poison: false,
  messageId: `id-${n}`,
  status: 'delivered' as string | null,
  xid: BigInt(xid),
  // It began when all earlier transactions had ended.
  snapshot: { xmin: BigInt(xid), xmax: BigInt(xid), running: new Set<bigint>() },
  ...over,
})
const idOf = (_sourceId: string, key: string) => key.replace('key', 'id')
const arrive = (facts: readonly { messageId: string; sourceId: string; key: string }[]) =>
  facts.map(({ messageId, sourceId, key }) => ({ messageId, sourceId, key }))

const facts = [fact(1, 10), fact(2, 10), fact(3, 11), fact(4, 12)]
const clean = {
  lost: 0,
  duplicatesAfterDedup: 0,
  leaked: 0,
  wrongIds: 0,
  orderViolations: 0,
  dead: 0,
  uncertain: 0,
}

it('finds nothing where all arrived once and in order', () => {
  expect(compare(facts, arrive(facts), idOf)).toEqual(clean)
})

it.each([
  ['a message that never arrived', facts, facts.slice(1), { lost: 1 }],
  ['a fact without a row', [fact(1, 10, { status: null })], [], { lost: 1 }],
  ['a message still pending', [fact(1, 10, { status: 'pending' })], [], { lost: 1 }],
  ['a message dead that is not poison', [fact(1, 10, { status: 'dead' })], [], { lost: 1, dead: 1 }],
  ['a message in doubt', [fact(1, 10, { status: 'uncertain' })], [], { uncertain: 1 }],
  ['a message that arrived twice', facts, [...facts, ...facts.slice(3)], { duplicatesAfterDedup: 1 }],
  [
    'a fact that arrived under two ids',
    facts,
    [...facts, fact(4, 12, { messageId: 'id-9' })],
    { duplicatesAfterDedup: 1, leaked: 1 },
  ],
  ['what nobody committed', facts, [...facts, fact(9, 20)], { leaked: 1 }],
  [
    'poison that was accepted',
    [fact(1, 10, { poison: true, status: 'dead' })],
    [fact(1, 10)],
    { leaked: 1, dead: 1 },
  ],
  [
    'an id that is not the fact’s',
    [fact(1, 10, { messageId: 'id-7' })],
    [fact(1, 10, { messageId: 'id-7' })],
    { wrongIds: 1 },
  ],
  [
    'a message sent with another source’s key',
    [fact(1, 10)],
    [fact(1, 10, { sourceId: 'another' })],
    { wrongIds: 1 },
  ],
  [
    'transactions in the wrong order',
    facts,
    [0, 1, 3, 2].map((i) => facts[i] ?? fact(0, 0)),
    { orderViolations: 1 },
  ],
  [
    'a transaction’s messages in the wrong order',
    facts,
    [1, 0, 2, 3].map((i) => facts[i] ?? fact(0, 0)),
    { orderViolations: 1 },
  ],
])('notices %s', (_, committed, arrived, found) => {
  expect(compare(committed, arrive(arrived), idOf)).toEqual({ ...clean, ...found })
})

it('lets transactions that ran side by side arrive in either order', () => {
  const beside = fact(4, 12, { snapshot: { xmin: 11n, xmax: 12n, running: new Set([11n]) } })
  const [one = beside, two = beside, three = beside] = facts
  expect(compare([...facts.slice(0, 3), beside], arrive([one, two, beside, three]), idOf)).toEqual(clean)
})
