import type { z } from 'zod'

export type JsonSchema = z.core.JSONSchema.JSONSchema

/** Column types of Segment's warehouses. Source: Segment documentation, "Warehouse Schemas", "Data Types". */
export type ColumnType = 'boolean' | 'float' | 'integer' | 'timestamp' | 'varchar'

/** One place of a schema that holds values, as a warehouse sees it once objects are flattened. */
export interface Leaf {
  /** Names from the outermost property inwards. */
  readonly path: readonly string[]
  /**
   * The column's type, or what has none: an `array`; `anything`, where the schema says nothing; `open`, an object whose
   * names the schema does not know; `endless`, an object that contains itself.
   */
  readonly holds: ColumnType | 'array' | 'anything' | 'open' | 'endless'
}

/** The leaves of a JSON Schema. A place that may hold several types, as a union does, is several leaves of one path. */
export function* leavesOf(
  schema: JsonSchema | boolean,
  path: readonly string[] = [],
  within: readonly JsonSchema[] = [],
): Generator<Leaf> {
  if (typeof schema === 'boolean') {
    if (schema) yield { path, holds: 'anything' }
    return
  }
  const root = within[0] ?? schema
  const inside = [...(within.length === 0 ? [root] : within), schema]
  if (schema.$ref !== undefined) {
    const target = resolve(root, schema.$ref)
    if (target === undefined) yield { path, holds: 'anything' }
    else if (within.includes(target)) yield { path, holds: 'endless' }
    else yield* leavesOf(target, path, inside)
    return
  }
  const parts = [...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]
  for (const part of parts) yield* leavesOf(part, path, inside)
  const values = schema.const === undefined ? schema.enum : [schema.const]
  if (values) {
    for (const value of values) if (value !== null) yield { path, holds: typeOfValue(value) }
  } else if (schema.type !== undefined) {
    for (const type of [schema.type].flat()) yield* leavesOfType(type, schema, path, inside)
  } else if (parts.length === 0 && schema.not === undefined) {
    yield { path, holds: 'anything' }
  }
}

function* leavesOfType(
  type: string,
  schema: JsonSchema,
  path: readonly string[],
  inside: readonly JsonSchema[],
): Generator<Leaf> {
  if (type === 'object') {
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      yield* leavesOf(property, [...path, name], inside)
    }
    if (schema.additionalProperties !== false || schema.patternProperties !== undefined) {
      yield { path, holds: 'open' }
    }
  } else if (type === 'string') {
    yield { path, holds: /^date(-time)?$/.test(schema.format ?? '') ? 'timestamp' : 'varchar' }
  } else if (type !== 'null') {
    yield { path, holds: type === 'number' ? 'float' : (type as 'array' | 'boolean' | 'integer') }
  }
}

function typeOfValue(value: unknown): ColumnType {
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'float'
  return typeof value === 'boolean' ? 'boolean' : 'varchar'
}

/** What a reference inside the document points to (RFC 6901); zod makes no others. */
function resolve(root: JsonSchema, reference: string): JsonSchema | undefined {
  const steps = reference.replace(/^#\/?/, '').split('/').filter(Boolean)
  const names = steps.map((step) => decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~'))
  return names.reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], root) as
    | JsonSchema
    | undefined
}
