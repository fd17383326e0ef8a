import { z } from 'zod'
import type { Plan } from '../define-plan'
import type { JsonSchema } from '../warehouse-columns'
import { type PlannedCall, plannedCalls } from './planned-calls'

/** A rule of a tracking plan, as Segment's Public API takes it (its schema `RuleInputV1`). */
export interface SegmentRule {
  readonly type: 'TRACK' | 'IDENTIFY' | 'GROUP' | 'PAGE'
  /** The event's name; absent for other types. */
  readonly key?: string
  readonly version: number
  /** JSON Schema draft-07 of a whole call. */
  readonly jsonSchema: JsonSchema
}

/** The body of Segment's Public API request "Replace Rules in Tracking Plan" (`ReplaceRulesInTrackingPlanV1Input`). */
export interface SegmentTrackingPlan {
  readonly rules: readonly SegmentRule[]
}

/**
 * The plan as Segment Protocols know it, ready to be put to `PUT /tracking-plans/{id}/rules`. That request replaces
 * every rule of the tracking plan, a common one and older versions of events included.
 */
export function segmentTrackingPlan(plan: Plan): SegmentTrackingPlan {
  return { rules: plannedCalls(plan).map(ruleOf) }
}

function ruleOf({ type, name, schema, version }: PlannedCall): SegmentRule {
  const content = type === 'track' || type === 'page' ? { properties: schema } : { traits: schema }
  const anything = { context: z.unknown().optional(), traits: z.unknown().optional() }
  const call = z.looseObject({ ...anything, properties: z.unknown().optional(), ...content })
  const described = schema.description === undefined ? call : call.describe(schema.description)
  const jsonSchema = z.toJSONSchema(described, {
    target: 'draft-7',
    io: 'output',
    unrepresentable: 'any',
    override: ({ jsonSchema: part }) => speakDraft7(part as JsonSchema),
  })
  if (type === 'page') letCategoryThrough(jsonSchema)
  const rule = { type: type.toUpperCase() as SegmentRule['type'], version, jsonSchema }
  return type === 'track' ? { key: name, ...rule } : rule
}

/** Formats that draft-07 knows and zod gives. */
const FORMATS = new Set(['date', 'date-time', 'email', 'ipv4', 'ipv6', 'time', 'uri', 'uuid'])

/**
 * Protocols refuse patterns that look around ("The Protocols Tracking Plan", note on negative lookahead), and know a
 * moment by its format. What is left out here is still checked when a call is recorded.
 */
function speakDraft7(schema: JsonSchema): void {
  const known = FORMATS.has(schema.format ?? '')
  if (!known) delete schema.format
  if (known || /\(\?(?:[=!]|<[=!])/.test(schema.pattern ?? '')) delete schema.pattern
}

/** The client copies a page's category into its properties. */
function letCategoryThrough(call: JsonSchema): void {
  const properties = call.properties?.properties
  if (typeof properties !== 'object' || properties.additionalProperties !== false) return
  properties.properties = { category: { type: 'string' }, ...properties.properties }
}
