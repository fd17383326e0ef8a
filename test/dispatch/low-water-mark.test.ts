import fc from 'fast-check'
import { LowWaterMark } from '../../src/dispatch/low-water-mark'

/**
 * A database in miniature: transactions take an id, draw `seq` values, and commit or roll back in any order; a reader
 * takes the lowest visible pending ones above the mark. Whatever happens, the mark never passes a message that is
 * pending now or will be.
 */
type Move = { kind: 'begin' | 'draw' | 'end' | 'read'; pick: number; commits: boolean; size: number }

const move: fc.Arbitrary<Move> = fc.record({
  kind: fc.constantFrom('begin', 'draw', 'draw', 'end', 'read', 'read'),
  pick: fc.nat(1000),
  commits: fc.boolean(),
  size: fc.integer({ min: 1, max: 4 }),
})

function play(
  moves: readonly Move[],
  make: () => Pick<LowWaterMark, 'read' | 'settled' | 'value' | 'horizon'>,
): void {
  const mark = make()
  const open = new Map<number, number[]>()
  let visible: number[] = []
  let nextId = 1
  let nextSeq = 1
  for (const { kind, pick, commits, size } of moves) {
    const ids = [...open.keys()]
    const id = ids[pick % Math.max(ids.length, 1)]
    if (kind === 'begin') open.set(nextId++, [])
    if (kind === 'draw' && id !== undefined) open.get(id)?.push(nextSeq++)
    if (kind === 'end' && id !== undefined) {
      if (commits) visible = [...visible, ...(open.get(id) ?? [])].sort((a, b) => a - b)
      open.delete(id)
    }
    if (kind === 'read') {
      const oldest = Math.min(nextId, ...open.keys())
      const passed = mark.horizon !== null && oldest >= Number(mark.horizon)
      const batch = visible.filter((seq) => seq > Number(mark.value)).slice(0, size)
      const last = batch.at(-1)
      if (last === undefined) continue
      mark.read(String(last), String(nextId), passed)
      visible = visible.filter((seq) => !batch.includes(seq))
      mark.settled()
      const pending = [...visible, ...[...open.values()].flat()]
      if (pending.some((seq) => seq <= Number(mark.value))) throw new Error(`the mark passed a message`)
    }
  }
}

const property = (make: Parameters<typeof play>[1]) =>
  fc.property(fc.array(move, { maxLength: 60, size: 'max' }), (moves) => play(moves, make))

describe('the low-water mark', () => {
  it('never passes a message that is pending or can still appear', () => {
    fc.assert(
      property(() => new LowWaterMark('0')),
      { numRuns: 5000 },
    )
  })

  it('and the proof notices a mark that simply follows what was read', () => {
    const cursor = () => {
      let value = '0'
      let last = '0'
      return {
        horizon: '0',
        get value() {
          return value
        },
        read: (seq: string) => (last = seq),
        settled: () => (value = last),
      } as never
    }
    expect(fc.check(property(cursor), { numRuns: 5000 }).failed).toBe(true)
  })

  it('does move on', () => {
    const mark = new LowWaterMark('0')
    mark.read('10', '100', false)
    expect(mark.settled()).toBe('0')
    mark.read('20', '101', true)
    expect(mark.settled()).toBe('10')
    mark.read('30', '102', false)
    expect(mark.settled()).toBe('10')
    mark.read('40', '103', true)
    expect(mark.settled()).toBe('20')
  })
})
