import type { z } from 'zod'
import { anyObject, type EventDefinition, type Plan } from '../define-plan'

/** One kind of call that a plan knows: an event, or what the plan says of identify, group or page. */
export interface PlannedCall {
  readonly type: 'track' | 'identify' | 'group' | 'page'
  /** The event's name, or the type of call. */
  readonly name: string
  /** Schema of its properties or traits. */
  readonly schema: z.ZodType
  readonly version: number
  /** Present for events. */
  readonly definition?: EventDefinition
}

/** Everything a plan says something about: its events in their order, then the calls that it has schemas for. */
export function plannedCalls(plan: Plan): PlannedCall[] {
  const events = Object.entries(plan.events).map(([name, definition]): PlannedCall => {
    const { properties: schema, version = 1 } = definition
    return { type: 'track', name, schema, version, definition }
  })
  const calls = (['identify', 'group', 'page'] as const).map((type): PlannedCall => {
    return { type, name: type, schema: plan.calls[type], version: 1 }
  })
  return [...events, ...calls.filter(({ schema }) => schema !== anyObject)]
}

/** Names of the properties that an event's natural key is made of, seen by computing it. */
export function naturalKeyOf({ key }: EventDefinition): string[] {
  const read = new Set<string>()
  const properties = new Proxy({} as Record<string, string>, {
    get(_, name) {
      read.add(String(name))
      return String(name)
    },
  })
  try {
    key(properties)
  } catch {
    // It wants more of a value than that it is text. Which properties it has read is known by then.
  }
  return [...read]
}
