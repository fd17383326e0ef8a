import fs from 'node:fs'
import path from 'node:path'
import {
  comparePlan,
  definePlan,
  PlanError,
  planJsonSchema,
  segmentTrackingPlan,
  synapPlan,
} from 'synap-outbox'
import { z } from 'zod'

const text = z.string()
const count = z.int().min(0).max(10)
const before = { a: text, n: count, kind: z.enum(['x', 'y']), note: text.optional() }

type Facts = Record<string, string>
interface More {
  key?: (p: Facts) => string[]
  version?: number
}
const planOf = (shape: z.ZodRawShape, { key = (p) => [p.a ?? ''], version }: More = {}) =>
  definePlan({ 'Sat Exam': { properties: z.strictObject(shape), key: (p) => key(p as Facts), version } })
const file = (value: unknown) => JSON.parse(JSON.stringify(value))
const formats = [
  ['segment', segmentTrackingPlan],
  ['json-schema', planJsonSchema],
] as const

describe.each(formats)('a plan and its export as %s', (_, exported) => {
  const changesTo = (shape: z.ZodRawShape, more?: More) =>
    comparePlan(file(exported(planOf(before))), planOf(shape, more))

  it('are equal', () => {
    expect(comparePlan(file(exported(synapPlan)), synapPlan)).toEqual([])
  })

  it.each<[string, z.ZodRawShape, string, string]>([
    ['a property is gone', { a: text, n: count, kind: before.kind }, 'note', 'is gone'],
    ['a type is another', { ...before, n: text }, 'n', 'was integer and is string'],
    ['a property is new and required', { ...before, b: text }, 'b', 'is new and required'],
    ['a property becomes required', { ...before, note: text }, 'note', 'is required now'],
    ['an enum is narrowed', { ...before, kind: z.enum(['x']) }, 'kind', 'may no longer be "y"'],
    ['a text becomes an enum', { ...before, a: z.enum(['p', 'q']) }, 'a', 'is limited to "p", "q"'],
    ['an upper bound sinks', { ...before, n: z.int().min(0).max(9) }, 'n', 'has maximum 9, was 10'],
    ['a lower bound rises', { ...before, n: z.int().min(1).max(10) }, 'n', 'has minimum 1, was 0'],
    ['a bound is new', { ...before, a: text.max(5) }, 'a', 'has maxLength 5'],
    ['a pattern is new', { ...before, a: text.regex(/^x/) }, 'a', 'has another pattern'],
    [
      'a nested property is gone',
      { ...before, note: z.strictObject({}).optional() },
      'note',
      'was string and is object',
    ],
  ])('break without a new version where %s', (_case, shape, property, what) => {
    const [difference, ...others] = changesTo(shape)
    expect(others).toEqual([])
    expect(difference).toMatchObject({ name: 'Sat Exam', kind: 'breaking', needsVersion: true })
    expect(difference?.changes).toContainEqual({ path: `properties.${property}`, what, breaking: true })
    const [versioned] = changesTo(shape, { version: 2 })
    expect(versioned).toMatchObject({ kind: 'breaking', needsVersion: false })
  })

  it.each<[string, z.ZodRawShape, string, string]>([
    ['an optional property is new', { ...before, b: text.optional() }, 'b', 'is new'],
    ['a property becomes optional', { ...before, a: text.optional() }, 'a', 'is optional now'],
    ['an enum is widened', { ...before, kind: z.enum(['x', 'y', 'z']) }, 'kind', 'may also be "z"'],
    ['an enum becomes a text', { ...before, kind: text }, 'kind', 'is no longer limited to certain values'],
    ['a bound gives way', { ...before, n: z.int().min(0).max(20) }, 'n', 'has maximum 20, was 10'],
    ['null comes along', { ...before, a: text.nullable() }, 'a', 'may be null'],
    ['null comes along with an enum', { ...before, kind: before.kind.nullable() }, 'kind', 'may be null'],
    [
      'a description is another',
      { ...before, a: text.describe('The exam') },
      'a',
      'is described differently',
    ],
  ])('differ compatibly where %s', (_case, shape, property, what) => {
    const [difference, ...others] = changesTo(shape)
    expect(others).toEqual([])
    expect(difference).toMatchObject({ kind: 'compatible', needsVersion: false })
    expect(difference?.changes).toEqual([{ path: `properties.${property}`, what, breaking: false }])
  })

  it('break where null may no longer come', () => {
    const nullable = { ...before, kind: before.kind.nullable(), a: text.nullable() }
    const [difference] = comparePlan(file(exported(planOf(nullable))), planOf(before))
    expect(difference?.changes).toEqual([
      { path: 'properties.a', what: 'may no longer be null', breaking: true },
      { path: 'properties.kind', what: 'may no longer be null', breaking: true },
    ])
  })

  it('tell events that came and went, and versions that went back', () => {
    const plan = definePlan({ Other: { properties: z.strictObject({ a: text }), key: (p) => p.a } })
    expect(comparePlan(file(exported(planOf(before))), plan)).toMatchObject([
      { name: 'Sat Exam', kind: 'removed', needsVersion: false },
      { name: 'Other', kind: 'added', needsVersion: false },
    ])
    expect(comparePlan(file(exported(planOf(before, { version: 2 }))), planOf(before))).toMatchObject([
      { kind: 'breaking', needsVersion: true, changes: [{ what: 'had version 2 and has 1' }] },
    ])
  })

  it('differ in traits, which have no versions', () => {
    const traits = (shape: z.ZodRawShape) => definePlan({}, { identify: z.strictObject(shape) })
    expect(comparePlan(file(exported(traits({ name: text }))), traits({}))).toEqual([
      {
        name: 'identify',
        kind: 'breaking',
        needsVersion: false,
        changes: [{ path: 'traits.name', what: 'is gone', breaking: true }],
      },
    ])
  })
})

describe('a plan and its export', () => {
  it('differ in the natural key, which names the facts', () => {
    const exported = file(planJsonSchema(planOf(before)))
    expect(comparePlan(exported, planOf(before, { key: (p) => [p.a ?? '', p.n ?? ''] }))).toMatchObject([
      { kind: 'breaking', needsVersion: true, changes: [{ what: 'had the natural key a and has a, n' }] },
    ])
  })

  it.each([[null], [[]], [{}], [{ rules: [{}] }], ['text']])(
    'cannot be compared where it is %j',
    (exported) => {
      expect(() => comparePlan(exported, synapPlan)).toThrow(PlanError)
    },
  )

  it('are equal in this repository: docs/tracking-plan.json', () => {
    const committed = path.resolve(__dirname, '../../docs/tracking-plan.json')
    // To change the plan: npx synap-outbox plan --write docs/tracking-plan.json
    expect(comparePlan(JSON.parse(fs.readFileSync(committed, 'utf8')), synapPlan)).toEqual([])
  })
})
