import { createHash } from 'node:crypto'
import { z } from 'zod'
import { PlanError } from '../errors'
import { checkColumns, checkTables } from './check-warehouse'
import type { JsonSchema } from './warehouse-columns'

/** What identifies a fact for good: recorded twice with the same key, it is one message. */
export type NaturalKey = string | number | readonly (string | number)[]

/** One event of a tracking plan. */
export interface EventDefinition<Properties extends z.ZodType = z.ZodType> {
  /** The properties Segment receives. A strict object: what is not in the plan is not sent. */
  properties: Properties
  /** The natural key, from the validated properties. The messageId is derived from it (I3). */
  key: (properties: z.output<Properties>) => NaturalKey
  /** Recorded only for sources with Detailed Event Tracking on. Default false. */
  detailed?: boolean
  /**
   * A whole number from 1, raised with each breaking change of the properties; `plan --check` asks for it. Where given,
   * it is sent as `context.protocols.event_version`, by which Segment Protocols choose the rule. Default: version 1,
   * and nothing is sent.
   */
  version?: number
}

/** Schemas of the calls that have no event name. Each defaults to any JSON object. */
export interface CallSchemas<
  Identify extends z.ZodType = z.ZodType,
  Group extends z.ZodType = z.ZodType,
  Page extends z.ZodType = z.ZodType,
> {
  identify?: Identify
  group?: Group
  page?: Page
}

/** A tracking plan: what may be recorded, and how it is named. Made by `definePlan`. */
export interface Plan<
  Schemas extends Record<string, z.ZodType> = Record<string, z.ZodType>,
  Identify extends z.ZodType = z.ZodType,
  Group extends z.ZodType = z.ZodType,
  Page extends z.ZodType = z.ZodType,
> {
  readonly events: { readonly [E in keyof Schemas]: EventDefinition<Schemas[E]> }
  readonly calls: Required<CallSchemas<Identify, Group, Page>>
  /** First 12 hex digits of the SHA-256 of each event's JSON Schema: stored with each message. */
  readonly schemaHashes: ReadonlyMap<string, string>
}

/** Any JSON object: the schema of a call that the plan says nothing about. */
export const anyObject = z.record(z.string(), z.unknown())
type AnyObject = typeof anyObject

export type EventName<P extends Plan> = keyof P['events'] & string
export type EventProperties<P extends Plan, E extends EventName<P>> = z.input<P['events'][E]['properties']>
export type IdentifyTraits<P extends Plan> = z.input<P['calls']['identify']>
export type GroupTraits<P extends Plan> = z.input<P['calls']['group']>
export type PageProperties<P extends Plan> = z.input<P['calls']['page']>

/**
 * A moment, given as a Date or as an ISO 8601 string with an offset; sent as a string.
 * Recording turns Dates into ISO strings before it validates, so the schema itself only ever sees the string.
 */
export const dateTime = (): z.ZodType<string, string | Date> =>
  z.iso.datetime({ offset: true }) as unknown as z.ZodType<string, string | Date>

/**
 * Defines a tracking plan. Everything about recording is typed from it.
 *
 * Throws PlanError where an event could not be kept as written: an empty name, properties that are not a strict
 * object, no key, or what a Segment warehouse would silently drop, alter or mix (see docs/tracking-plan.md): reserved
 * names, names that become the same table or column, values of several types or of any, arrays, objects of any names,
 * names beyond PostgreSQL's 63 bytes. It goes by what a schema puts out: a transform has to be piped to a schema. Traits
 * and page properties may be left open; what their schemas do say is held to the same rules.
 */
export function definePlan<
  const Schemas extends Record<string, z.ZodType>,
  Identify extends z.ZodType = AnyObject,
  Group extends z.ZodType = AnyObject,
  Page extends z.ZodType = AnyObject,
>(
  events: { [E in keyof Schemas]: EventDefinition<Schemas[E]> },
  calls: CallSchemas<Identify, Group, Page> = {},
): Plan<Schemas, Identify, Group, Page> {
  const schemaHashes = new Map<string, string>()
  for (const [name, definition] of Object.entries<EventDefinition>(events)) {
    checkEvent(name, definition)
    const schema = jsonSchemaOf(name, definition.properties)
    checkColumns({ name: `"${name}"`, member: 'property', mayBeOpen: false }, schema)
    schemaHashes.set(name, hashOf(schema))
  }
  checkTables(Object.keys(events))
  for (const [name, schema] of Object.entries<z.ZodType>({ ...calls })) {
    const member = name === 'page' ? 'property' : 'trait'
    const known = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' })
    checkColumns({ name, member, mayBeOpen: true }, known)
  }
  return Object.freeze({
    events: Object.freeze({ ...events }),
    calls: { identify: anyObject, group: anyObject, page: anyObject, ...calls } as unknown as Required<
      CallSchemas<Identify, Group, Page>
    >,
    schemaHashes,
  })
}

function checkEvent(name: string, definition: EventDefinition): void {
  if (name.trim() === '') {
    throw new PlanError(
      'An event of the plan has an empty name.',
      'Segment accepts such an event and drops it.',
      'Name it as an object and an action, like "Submitted Test".',
    )
  }
  if (typeof definition.key !== 'function') {
    throw new PlanError(
      `The event "${name}" has no natural key.`,
      'Without one, the same fact recorded twice would be sent twice.',
      'Add `key: (p) => p.attemptId`, or whatever identifies the fact for good.',
    )
  }
  if (!isStrictObject(definition.properties)) {
    throw new PlanError(
      `The properties of "${name}" are not a strict object.`,
      'Whatever a caller adds would reach the portal’s warehouse as new columns.',
      'Use `z.strictObject({ … })`.',
    )
  }
  const { version = 1 } = definition
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new PlanError(
      `The version of "${name}" is ${version}.`,
      'Segment Protocols know whole numbers only, and would check its events against the oldest version.',
      'Give it a whole number from 1, or leave it out.',
    )
  }
}

function isStrictObject(schema: z.ZodType): boolean {
  return schema instanceof z.ZodObject && schema.def.catchall instanceof z.ZodNever
}

function jsonSchemaOf(name: string, schema: z.ZodType): JsonSchema {
  try {
    return z.toJSONSchema(schema, { io: 'output' })
  } catch (cause) {
    throw new PlanError(
      `The properties of "${name}" have no JSON Schema.`,
      'The plan is exported as JSON Schema, and each message is stored with the hash of its schema.',
      'Use JSON types; for moments use `dateTime()`.',
      cause,
    )
  }
}

function hashOf(schema: JsonSchema): string {
  return createHash('sha256').update(JSON.stringify(schema)).digest('hex').slice(0, 12)
}
