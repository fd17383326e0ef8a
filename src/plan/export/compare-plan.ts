import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { PlanError } from '../../errors'
import type { Plan } from '../define-plan'
import type { JsonSchema } from '../warehouse-columns'
import { planJsonSchema } from './json-schema'
import { type SchemaChange, schemaChanges } from './schema-changes'
import { segmentTrackingPlan } from './segment'

/** How one event, or one of the calls without an event name, differs from an exported plan. */
export interface PlanDifference {
  /** The event's name, or identify, group or page. */
  readonly name: string
  readonly kind: 'added' | 'removed' | 'compatible' | 'breaking'
  readonly changes: readonly SchemaChange[]
  /** A breaking change of an event that kept its version. Segment knows no versions of other calls. */
  readonly needsVersion: boolean
}

interface Exported {
  readonly event: boolean
  readonly version: number
  readonly naturalKey?: readonly string[]
  readonly schema: JsonSchema
}

const schema = z.custom<JsonSchema>((value) => typeof value === 'object' && value !== null)
const segmentFormat = z.object({
  rules: z.array(
    z.object({
      type: z.string(),
      key: z.string().nullish(),
      version: z.number(),
      jsonSchema: schema,
    }),
  ),
})
const jsonSchemaFormat = z.object({
  anyOf: z.array(
    z.looseObject({
      title: z.string(),
      'x-version': z.number().optional(),
      'x-natural-key': z.array(z.string()).optional(),
    }),
  ),
})

/**
 * Compares a plan with an exported one, as `segmentTrackingPlan` or `planJsonSchema` made it. Empty when they are equal.
 *
 * Breaking is what the export let through and the plan may refuse, and what takes a warehouse column away or changes its
 * type: a property that is gone, of another type, required where it was not, or limited further. A changed natural key
 * is breaking as well: the same fact gets another messageId. Throws PlanError for what is no exported plan.
 */
export function comparePlan(exported: unknown, plan: Plan): PlanDifference[] {
  const [before, after] = bothOf(exported, plan)
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const difference = compare(name, before.get(name), after.get(name))
    return difference === undefined ? [] : [difference]
  })
}

/** What was exported, and what the same export would hold today. */
function bothOf(exported: unknown, plan: Plan): [Map<string, Exported>, Map<string, Exported>] {
  const segment = segmentFormat.safeParse(exported)
  if (segment.success) {
    return [ofSegment(segment.data), ofSegment(segmentFormat.parse(plain(segmentTrackingPlan(plan))))]
  }
  const json = jsonSchemaFormat.safeParse(exported)
  if (json.success) {
    return [ofJsonSchema(json.data), ofJsonSchema(jsonSchemaFormat.parse(plain(planJsonSchema(plan))))]
  }
  throw new PlanError(
    'That is not an exported plan.',
    'There is nothing to compare with.',
    'Export one with `plan --format json-schema` or `plan --format segment`.',
  )
}

function compare(name: string, before?: Exported, after?: Exported): PlanDifference | undefined {
  if (isDeepStrictEqual(before, after)) return undefined
  if (!before) return { name, kind: 'added', changes: [], needsVersion: false }
  if (!after) return { name, kind: 'removed', changes: [], needsVersion: false }
  const changes = [...schemaChanges(before.schema, after.schema)]
  if (!isDeepStrictEqual(before.naturalKey, after.naturalKey)) {
    const keys = [before.naturalKey, after.naturalKey].map((key) => key?.join(', '))
    changes.push({ path: '', what: `had the natural key ${keys[0]} and has ${keys[1]}`, breaking: true })
  }
  if (before.version !== after.version) {
    const breaking = after.version < before.version
    changes.push({ path: '', what: `had version ${before.version} and has ${after.version}`, breaking })
  }
  const breaking = changes.some((change) => change.breaking)
  const needsVersion = breaking && after.event && after.version <= before.version
  return { name, kind: breaking ? 'breaking' : 'compatible', changes, needsVersion }
}

function ofSegment({ rules }: z.output<typeof segmentFormat>): Map<string, Exported> {
  return new Map(
    rules.map(({ type, key, version, jsonSchema }) => {
      const event = type === 'TRACK'
      return [event ? (key ?? '') : type.toLowerCase(), { event, version, schema: jsonSchema }]
    }),
  )
}

function ofJsonSchema({ anyOf }: z.output<typeof jsonSchemaFormat>): Map<string, Exported> {
  return new Map(
    anyOf.map((call) => {
      const { title, 'x-version': version, 'x-natural-key': naturalKey, 'x-schema-hash': _, ...rest } = call
      const event = version !== undefined
      return [title, { event, version: version ?? 1, naturalKey, schema: rest as JsonSchema }]
    }),
  )
}

/** What the export is once it has been a file. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}
