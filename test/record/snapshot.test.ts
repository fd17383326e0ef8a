import fc from 'fast-check'
import { snapshot, storable } from '../../src/record/snapshot'

/** Fewer where the tests run once for each mutant; see jest.pure.config.cjs. */
const RUNS = Number(process.env.PROPERTY_RUNS ?? 2000)

const copyOf = (value: unknown) => snapshot(value).value
const problemsOf = (value: unknown, path?: string) => snapshot(value, path).problems

describe('a snapshot', () => {
  it.each([
    ['null', null, null],
    ['a string', 'a', 'a'],
    ['a number', 1.5, 1.5],
    ['a boolean', false, false],
    ['undefined', undefined, undefined],
    ['a function', () => 1, undefined],
    ['a symbol', Symbol('s'), undefined],
    ['undefined members', { a: undefined, b: null }, { b: null }],
    ['undefined elements', [undefined, 1, () => 1], [null, 1, null]],
    ['holes', Object.assign([1], { 2: 3 }), [1, null, 3]],
    ['a Date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['boxed values', [Object('s'), Object(1), Object(true)], ['s', 1, true]],
    ['toJSON', { toJSON: () => ({ x: [1n] }) }, { x: ['1'] }],
    [
      'a class instance',
      new (class A {
        a = 1
        get b() {
          return 2
        }
      })(),
      { a: 1 },
    ],
    [
      'inherited members',
      Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true } }),
      { own: 2 },
    ],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    ['symbol keys', { [Symbol('k')]: 1, a: 2 }, { a: 2 }],
  ])('of %s', (_, value, expected) => {
    expect(copyOf(value)).toEqual(expected)
  })

  it.each([
    ['a BigInt', 12n, '12', 'the value is a BigInt, which JSON has no form for'],
    ['NaN', Number.NaN, 'NaN', 'the value is NaN, which JSON has no form for'],
    [
      '-Infinity',
      Number.NEGATIVE_INFINITY,
      '-Infinity',
      'the value is -Infinity, which JSON has no form for',
    ],
    ['an invalid Date', new Date(Number.NaN), 'Invalid Date', 'the value is an invalid Date'],
    ['a Map', new Map(), '[Map]', 'the value is a Map, which JSON would empty'],
    ['a Set', new Set(), '[Set]', 'the value is a Set, which JSON would empty'],
    ['a WeakMap', new WeakMap(), '[WeakMap]', 'the value is a WeakMap, which JSON would empty'],
    ['a WeakSet', new WeakSet(), '[WeakSet]', 'the value is a WeakSet, which JSON would empty'],
    ['a Promise', Promise.resolve(), '[Promise]', 'the value is a Promise, which JSON would empty'],
    ['a RegExp', /x/, '[RegExp]', 'the value is a RegExp, which JSON would empty'],
    ['an Error', new Error('e'), '[Error]', 'the value is a Error, which JSON would empty'],
    [
      'a typed array',
      new Float64Array(1),
      '[binary buffer]',
      'the value is a binary buffer, which JSON would empty',
    ],
    [
      'an ArrayBuffer',
      new ArrayBuffer(1),
      '[binary buffer]',
      'the value is a binary buffer, which JSON would empty',
    ],
  ])('of %s has a stand-in and a problem', (_, value, standIn, problem) => {
    expect(snapshot(value)).toEqual({ value: standIn, problems: [problem] })
  })

  it('of minus zero is zero, as in JSON', () => {
    expect(Object.is(copyOf(-0), 0)).toBe(true)
  })

  it('of text holds no U+0000 and no half of a surrogate pair', () => {
    expect(copyOf({ 'a\0': ['b\0', '\ud800'] })).toEqual({ 'a\uFFFD': ['b\uFFFD', '\uFFFD'] })
  })

  it('has no member for what is left out', () => {
    expect(Object.keys(copyOf({ a: undefined, b: () => 1, c: null }) as object)).toEqual(['c'])
  })

  it('asks toJSON as JSON.stringify does, with a key', () => {
    expect(copyOf({ toJSON: (key: unknown) => ({ key }) })).toEqual({ key: '' })
  })

  it('names where a problem is', () => {
    expect(problemsOf({ a: { list: [1, { b: 1n }] } })).toEqual([
      expect.stringMatching(/^a\.list\[1\]\.b is a BigInt/),
    ])
    expect(problemsOf({ a: 1n }, 'properties')).toEqual([expect.stringMatching(/^properties\.a is a BigInt/)])
  })

  it('names five problems at the most', () => {
    expect(problemsOf(Array(50).fill(1n))).toHaveLength(5)
  })

  it('keeps a value that occurs twice, and refuses one that holds itself', () => {
    const shared = { a: 1 }
    expect(snapshot([shared, shared])).toEqual({ value: [{ a: 1 }, { a: 1 }], problems: [] })
    const cycle: unknown[] = []
    cycle.push(cycle)
    expect(snapshot(cycle)).toEqual({ value: ['[cycle]'], problems: ['[0] refers back to itself'] })
  })

  it('keeps 64 levels and refuses the 65th', () => {
    const nest = (levels: number): unknown => (levels === 1 ? {} : { d: nest(levels - 1) })
    expect(problemsOf(nest(64))).toEqual([])
    expect(problemsOf(nest(65))).toEqual([
      expect.stringMatching(/(d\.){63}d is nested deeper than 64 levels$/),
    ])
    expect(JSON.stringify(copyOf(nest(65)))).toContain('"d":"[deep]"')
  })

  it('stops at 262,144 characters, and reads nothing further', () => {
    expect(problemsOf('x'.repeat(262_144))).toEqual([])
    expect(problemsOf('x'.repeat(262_145))).toEqual([expect.stringContaining('beyond the 262144 characters')])
    // Full to the last character: what comes next is not left out without a word.
    expect(problemsOf({ a: 'x'.repeat(262_139), b: 1 })).toEqual([expect.stringMatching(/^b is beyond/)])
    expect(copyOf(['x'.repeat(262_145)])).toEqual(['[cut]'])
    const longNames = Object.fromEntries(Array.from({ length: 300 }, (_, i) => ['k'.repeat(1000) + i, 1]))
    expect(problemsOf(longNames)).toEqual([expect.stringContaining('beyond the 262144 characters')])
    let read = 0
    const wide = new Proxy({} as Record<string, string>, {
      ownKeys: () => Array.from({ length: 100_000 }, (_, i) => `k${i}`),
      getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
      get: (_, key) => {
        read++
        return key === 'toJSON' ? undefined : 'x'.repeat(1000)
      },
    })
    expect(problemsOf(wide).length).toBeGreaterThan(0)
    expect(read).toBeLessThan(300)
    expect(problemsOf(new Array(100_000).fill(0))).toEqual([expect.stringContaining('beyond')])
  })

  it('survives values that throw whatever is asked of them', () => {
    const trap = () => {
      throw new Error('trap')
    }
    const handler = {
      get: trap,
      ownKeys: trap,
      getPrototypeOf: trap,
      has: trap,
      getOwnPropertyDescriptor: trap,
    }
    expect(snapshot(new Proxy({}, handler))).toEqual({
      value: '[unreadable]',
      problems: ['the value cannot be read (trap)'],
    })
    const nasty = {
      get message(): string {
        throw new Error('again')
      },
    }
    const thrower = {
      get a() {
        throw Object.setPrototypeOf(nasty, Error.prototype)
      },
    }
    expect(problemsOf(thrower)).toEqual(['the value cannot be read (it throws when it is read)'])
  })

  it('quotes the beginning of a long error', () => {
    const thrower = {
      get a() {
        throw new Error('x'.repeat(1000))
      },
    }
    expect(problemsOf(thrower)).toEqual([`the value cannot be read (${'x'.repeat(200)})`])
  })

  it('does not let __proto__ through, and pollutes nothing', () => {
    const { value, problems } = snapshot(JSON.parse('{"a": {"__proto__": {"polluted": 1}, "b": 2}}'))
    expect(problems).toEqual(['a.__proto__ is a name that JavaScript objects cannot carry'])
    expect(value).toEqual({ a: { b: 2 } })
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
  })

  it('of any JSON is that JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (json) => {
        const kept = JSON.parse(storable(JSON.stringify(json)))
        fc.pre(!JSON.stringify(json).includes('__proto__') && !JSON.stringify(json).includes('\\u0000'))
        expect(snapshot(json)).toEqual({ value: kept, problems: [] })
      }),
    )
  })

  it('of anything is JSON that stringifies to itself, in well-formed text without U+0000', () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withMap: true, withSparseArray: true, stringUnit: 'binary' }),
        (value) => {
          const text = JSON.stringify(snapshot(value).value)
          fc.pre(text !== undefined)
          expect(JSON.parse(text)).toEqual(snapshot(value).value)
          expect(text).not.toMatch(/\\u0000|\\ud[89a-f]/i)
          expect(text.isWellFormed()).toBe(true)
        },
      ),
      { numRuns: RUNS },
    )
  })
})

describe('storable text', () => {
  it.each([
    ['plain', 'plain'],
    ['🎓', '🎓'],
    ['\0', '\uFFFD'],
    ['\uD83C', '\uFFFD'],
    ['\uDF93\uD83C', '\uFFFD\uFFFD'],
    ['a\0b\uD800c', 'a\uFFFDb\uFFFDc'],
  ])('%j becomes %j', (text, kept) => {
    expect(storable(text)).toBe(kept)
  })
})
