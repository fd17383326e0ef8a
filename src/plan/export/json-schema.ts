import { z } from 'zod'
import type { Plan } from '../define-plan'
import type { JsonSchema } from '../warehouse-columns'
import { naturalKeyOf, type PlannedCall, plannedCalls } from './planned-calls'

/**
 * The plan as one JSON Schema (draft 2020-12), zod's own: it accepts a call of the plan. What JSON Schema has no words
 * for stands beside each call as `x-version`, `x-schema-hash`, `x-natural-key` and `x-detailed`.
 */
export function planJsonSchema(plan: Plan): JsonSchema {
  const calls = plannedCalls(plan).map((call) => callSchema(plan, call))
  return z.toJSONSchema(z.union(calls).describe('The calls of a tracking plan.'), {
    io: 'output',
    unrepresentable: 'any',
  })
}

function callSchema(plan: Plan, { type, name, schema, version, definition }: PlannedCall): z.ZodType {
  const title = { title: name, ...(schema.description && { description: schema.description }) }
  if (!definition) {
    const content = type === 'page' ? { properties: schema } : { traits: schema }
    return z.looseObject({ type: z.literal(type), ...content }).meta(title)
  }
  const call = { type: z.literal(type), event: z.literal(name), properties: schema }
  return z.looseObject(call).meta({
    ...title,
    'x-version': version,
    'x-schema-hash': plan.schemaHashes.get(name),
    'x-natural-key': naturalKeyOf(definition),
    ...(definition.detailed && { 'x-detailed': true }),
  })
}
