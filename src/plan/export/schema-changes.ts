import { isDeepStrictEqual } from 'node:util'
import type { JsonSchema } from '../warehouse-columns'

/** One way in which a schema differs from an earlier one. */
export interface SchemaChange {
  /** Names from the outermost property inwards, joined by dots. */
  readonly path: string
  readonly what: string
  /** Whether what the earlier schema let through may be refused now, or a column goes away or changes its type. */
  readonly breaking: boolean
}

type Part = JsonSchema | boolean | undefined
type Members = Readonly<Record<string, Part>>

/** Bounds from below: a higher one lets less through. */
const LOWER = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'] as const
/** Bounds from above. */
const UPPER = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'] as const
/** What cannot be told to let more or less through, other than by being there. */
const OPAQUE = [
  '$ref',
  'additionalItems',
  'additionalProperties',
  'format',
  'items',
  'multipleOf',
  'not',
  'pattern',
  'patternProperties',
  'propertyNames',
] as const

/** What has changed between two JSON Schemas, as far as zod makes them; what cannot be told is breaking. */
export function* schemaChanges(
  before: Part,
  after: Part,
  path: readonly string[] = [],
): Generator<SchemaChange> {
  if (isDeepStrictEqual(before, after)) return
  const change = (what: string, breaking: boolean) => ({ path: path.join('.'), what, breaking })
  if (typeof before !== 'object' || typeof after !== 'object') {
    yield change('is another schema', after !== true)
    return
  }
  const [plain, other] = [withoutNull(before), withoutNull(after)]
  if ((plain === before) !== (other === after)) {
    yield plain === before ? change('may be null', false) : change('may no longer be null', true)
    yield* schemaChanges(plain, other, path)
    return
  }
  let explained = false
  for (const found of [
    ...valueChanges(before, after),
    ...boundChanges(before, after),
    ...opaqueChanges(before, after),
  ]) {
    explained = true
    yield change(...found)
  }
  for (const found of memberChanges(before, after, path)) {
    explained = true
    yield found
  }
  if (!explained) yield change('is described differently', false)
}

type Found = [what: string, breaking: boolean]

function* valueChanges(before: JsonSchema, after: JsonSchema): Generator<Found> {
  const [types, others] = [typesOf(before), typesOf(after)]
  const named = (set: ReadonlySet<string>) => [...set].filter((type) => type !== 'null').join(' or ')
  if (named(types) !== named(others)) {
    yield [`was ${named(types) || 'of any type'} and is ${named(others) || 'of any type'}`, true]
  } else if (types.has('null') !== others.has('null')) {
    yield types.has('null') ? ['may no longer be null', true] : ['may be null', false]
  }
  const [values, allowed] = [valuesOf(before), valuesOf(after)]
  if (!values || !allowed) {
    if (allowed) yield [`is limited to ${list(allowed)}`, true]
    if (values) yield ['is no longer limited to certain values', false]
    return
  }
  const gone = values.filter((value) => !allowed.includes(value))
  const added = allowed.filter((value) => !values.includes(value))
  if (gone.length > 0) yield [`may no longer be ${list(gone)}`, true]
  if (added.length > 0) yield [`may also be ${list(added)}`, false]
}

function* boundChanges(before: JsonSchema, after: JsonSchema): Generator<Found> {
  for (const [bounds, sign] of [
    [LOWER, 1],
    [UPPER, -1],
  ] as const) {
    for (const bound of bounds) {
      const [from, to] = [before[bound], after[bound]]
      if (from === to) continue
      const tighter = to !== undefined && (from === undefined || (Number(to) - Number(from)) * sign > 0)
      yield [`has ${bound} ${to ?? 'no more'}${from === undefined ? '' : `, was ${from}`}`, tighter]
    }
  }
}

function* opaqueChanges(before: JsonSchema, after: JsonSchema): Generator<Found> {
  for (const keyword of OPAQUE) {
    if (isDeepStrictEqual(before[keyword], after[keyword])) continue
    const gone = after[keyword] === undefined || isDeepStrictEqual(after[keyword], {})
    yield [gone ? `has no ${keyword} any more` : `has another ${keyword}`, !gone]
  }
}

function* memberChanges(
  before: JsonSchema,
  after: JsonSchema,
  path: readonly string[],
): Generator<SchemaChange> {
  for (const keyword of ['properties', '$defs', 'definitions'] as const) {
    const [earlier, later] = [before, after].map((schema) => (schema[keyword] ?? {}) as Members) as [
      Members,
      Members,
    ]
    for (const name of new Set([...Object.keys(earlier), ...Object.keys(later)])) {
      const at = [...path, name]
      const change = (what: string, breaking: boolean) => ({ path: at.join('.'), what, breaking })
      const required = (after.required ?? []).includes(name)
      if (!(name in later)) yield change('is gone', keyword === 'properties')
      else if (!(name in earlier)) yield change(required ? 'is new and required' : 'is new', required)
      else {
        const wasRequired = (before.required ?? []).includes(name)
        if (wasRequired !== required) yield change(`is ${required ? 'required' : 'optional'} now`, required)
        yield* schemaChanges(earlier[name], later[name], at)
      }
    }
  }
  for (const keyword of ['allOf', 'anyOf', 'oneOf'] as const) {
    const [earlier, later] = [before[keyword] ?? [], after[keyword] ?? []]
    if (earlier.length !== later.length) {
      yield {
        path: path.join('.'),
        what: `is one of ${later.length} schemas, was ${earlier.length}`,
        breaking: true,
      }
    } else for (const [i, part] of earlier.entries()) yield* schemaChanges(part, later[i], path)
  }
}

/** What zod lays out as `anyOf: [X, null]`, being more than a plain type, without its null; the schema itself otherwise. */
function withoutNull(schema: JsonSchema): JsonSchema {
  const [inner, last, ...others] = schema.anyOf ?? []
  const nullable = isDeepStrictEqual(last, { type: 'null' }) && others.length === 0
  return nullable && typeof inner === 'object' ? inner : schema
}

function typesOf(schema: JsonSchema): ReadonlySet<string> {
  const types = schema.type === undefined ? valuesOf(schema)?.map(typeOf) : [schema.type].flat()
  return new Set((types ?? []).toSorted())
}

function valuesOf(schema: JsonSchema): unknown[] | undefined {
  return schema.const === undefined ? schema.enum : [schema.const]
}

function typeOf(value: unknown): string {
  return value === null ? 'null' : typeof value
}

function list(values: readonly unknown[]): string {
  return values.map((value) => JSON.stringify(value)).join(', ')
}
