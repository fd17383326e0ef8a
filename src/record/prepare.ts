import { v7 as uuidv7 } from 'uuid'
import { z } from 'zod'
import type { EventDefinition, NaturalKey, Plan } from '../plan/define-plan'
import { factText } from '../plan/message-id'
import { isReservedColumn, snakeCase } from '../plan/warehouse-names'
import { CLIENT_BYTES, MESSAGE_BYTES } from '../segment/limits'
import { parseTraceParent } from '../telemetry/trace-context'
import { type Json, type JsonObject, snapshot, storable } from './snapshot'

/** A call, made ready for the recording statement. Names are the statement's column names. */
export type PreparedCall = Identified & {
  readonly portal_id: string | null
  readonly type: string
  readonly event: string | null
  /** The call as it will be sent, as JSON. The statement reads from it who did what, and when. */
  readonly body: string
  readonly wire_bytes: number
  readonly detailed: boolean
  readonly schema_hash: string | null
  readonly trace_parent: string | null
  /** Why it cannot be sent. Such a call is stored dead, under an id of its own, so that a corrected one still fits. */
  readonly problems: readonly string[]
}

/** Of a fact with a natural key the database makes the messageId; others have an id already. */
type Identified =
  | { readonly fact: string; readonly message_id: null }
  | { readonly fact: null; readonly message_id: string }

/** Characters of one problem that are kept. */
const MAX_PROBLEM = 300
const TYPES = ['track', 'identify', 'page', 'group']
const moment = z.iso.datetime({ offset: true })

/**
 * Copies, validates and lays out one call. Synchronous and total: it never throws, whatever it is given.
 *
 * @param kind what the method that was called says it is; `record` takes it from each call
 * @param traceParent of the active span, for a call that names no valid one of its own
 */
export function prepareCall(
  plan: Plan,
  input: unknown,
  kind: { type?: string; event?: unknown } = {},
  traceParent?: string,
): PreparedCall {
  const copied = snapshot(input)
  const named = snapshot(kind)
  const problems = [...named.problems, ...copied.problems]
  const call = Object.assign(isObject(copied.value) ? copied.value : {}, named.value as JsonObject)
  if (!isObject(copied.value)) problems.push('the call is not an object')

  const type = typeof call.type === 'string' && TYPES.includes(call.type) ? call.type : 'track'
  if (type !== call.type) problems.push(`type is not one of ${TYPES.join(', ')}`)
  const portalId = identifier(call, 'portalId', problems, true)
  const userId = identifier(call, 'userId', problems)
  const anonymousId = identifier(call, 'anonymousId', problems)
  if (userId === null && anonymousId === null) problems.push('neither userId nor anonymousId is given')
  const occurredAt = occurrence(call.timestamp, problems)
  checkIntegrations(call.integrations, problems)
  const context = objectMember(call, 'context', problems)

  const known = problems.length
  const { content, event, fact, definition } = contentOf(plan, type, call, problems)
  // A key computed from properties that did not validate would name another fact.
  const knownFact = problems.length === known ? fact() : null

  const body = JSON.stringify({
    type,
    ...(userId === null ? {} : { userId }),
    ...(anonymousId === null ? {} : { anonymousId }),
    ...content,
    timestamp: occurredAt,
    ...contextOf(context, definition?.version),
    ...(call.integrations === undefined ? {} : { integrations: call.integrations }),
  })
  const wireBytes = Buffer.byteLength(body) + CLIENT_BYTES
  if (wireBytes > MESSAGE_BYTES) {
    problems.push(`it is ${wireBytes} bytes on the wire, and Segment takes ${MESSAGE_BYTES}`)
  }
  const sendable = problems.length === 0
  return {
    portal_id: portalId,
    type,
    event,
    body,
    wire_bytes: wireBytes,
    detailed: definition?.detailed ?? false,
    schema_hash: event === null ? null : (plan.schemaHashes.get(event) ?? null),
    trace_parent: parseTraceParent(call.traceParent) ? `${call.traceParent}` : (traceParent ?? null),
    ...(sendable && knownFact !== null
      ? { fact: knownFact, message_id: null }
      : { fact: null, message_id: uuidv7() }),
    // Problems quote names that callers chose, and they are stored like everything else.
    problems: problems.map((problem) => storable(problem.slice(0, MAX_PROBLEM))),
  }
}

interface Content {
  /** The members that only this type of call has. */
  content: JsonObject
  event: string | null
  definition?: EventDefinition
  /** Its name and natural key; null where the call has none. */
  fact: () => string | null
}

function contentOf(plan: Plan, type: string, call: JsonObject, problems: string[]): Content {
  if (type === 'track') return trackContent(plan, call, problems)
  if (type === 'page') {
    const properties = validated(plan.calls.page, call.properties ?? {}, 'properties', problems)
    const name = optionalText(call, 'name', problems)
    const category = optionalText(call, 'category', problems)
    // The client copies a page's category into its properties: laid out here as it will be on the wire.
    const sent = category === undefined ? properties : { ...properties, category }
    const named = { ...(name === undefined ? {} : { name }), ...(category === undefined ? {} : { category }) }
    return { content: { ...named, properties: sent }, event: null, fact: () => null }
  }
  const traits = validated(plan.calls[type as 'identify' | 'group'], call.traits ?? {}, 'traits', problems)
  if (type === 'identify') return { content: { traits }, event: null, fact: () => null }
  const groupId = identifier(call, 'groupId', problems, true)
  return { content: { groupId: groupId ?? '', traits }, event: null, fact: () => null }
}

function trackContent(plan: Plan, call: JsonObject, problems: string[]): Content {
  const event = identifier(call, 'event', problems, true) ?? '(none)'
  const definition = Object.hasOwn(plan.events, event) ? plan.events[event] : undefined
  const raw = call.properties ?? {}
  if (definition === undefined) {
    problems.push(`the event "${event}" is not in the tracking plan`)
    return { content: { event, properties: raw }, event, fact: () => null }
  }
  const properties = validated(definition.properties, raw, 'properties', problems)
  const fact = () => factOf(event, definition, properties, problems)
  return { content: { event, properties }, event, definition, fact }
}

function factOf(
  event: string,
  definition: EventDefinition,
  properties: JsonObject,
  problems: string[],
): string | null {
  try {
    const key: NaturalKey = definition.key(properties)
    const parts: readonly unknown[] = Array.isArray(key) ? key : [key]
    const usable = (part: unknown) =>
      (typeof part === 'string' && part !== '') || (typeof part === 'number' && Number.isFinite(part))
    if (parts.length > 0 && parts.every(usable)) return factText(event, key)
    problems.push('its natural key is empty')
  } catch (error) {
    problems.push(`its natural key cannot be computed (${error instanceof Error ? error.message : error})`)
  }
  return null
}

/** Segment Protocols choose an event's rule by this version; without it they check against the oldest. */
function contextOf(context: JsonObject | undefined, version: number | undefined): { context?: JsonObject } {
  if (version === undefined) return context === undefined ? {} : { context }
  const protocols = isObject(context?.protocols) ? context.protocols : {}
  return { context: { ...context, protocols: { ...protocols, event_version: version } } }
}

/** The value as its schema gives it back; the value itself, with problems noted, where it does not validate. */
function validated(schema: z.ZodType, value: Json, name: string, problems: string[]): JsonObject {
  let output: unknown = value
  try {
    const result = schema.safeParse(value)
    if (result.success) output = result.data
    else for (const issue of result.error.issues.slice(0, 5)) problems.push(describe(issue, name))
  } catch (error) {
    problems.push(`${name} cannot be validated (${error instanceof Error ? error.message : error})`)
  }
  // A schema may transform: what it returns has to be JSON as well.
  const copied = output === value ? { value, problems: [] } : snapshot(output, name)
  problems.push(...copied.problems)
  if (!isObject(copied.value)) {
    problems.push(`${name} is not an object`)
    return {}
  }
  for (const key of Object.keys(copied.value)) {
    if (isReservedColumn(key)) {
      problems.push(`${name}.${key} becomes the column ${snakeCase(key)}, which Segment's warehouses discard`)
    }
  }
  return copied.value
}

function describe(issue: z.core.$ZodIssue, name: string): string {
  return `${[name, ...issue.path.map(String)].join('.')}: ${issue.message}`
}

function identifier(call: JsonObject, name: string, problems: string[], required = false): string | null {
  const value = call[name]
  if (value === undefined || value === null) {
    if (required) problems.push(`${name} is missing`)
    return null
  }
  if (typeof value === 'string' && value !== '') return value
  problems.push(`${name} is ${value === '' ? 'empty' : 'not a string'}`)
  return null
}

function optionalText(call: JsonObject, name: string, problems: string[]): string | undefined {
  const value = call[name]
  if (value === undefined || typeof value === 'string') return value
  problems.push(`${name} is not a string`)
  return undefined
}

function objectMember(call: JsonObject, name: string, problems: string[]): JsonObject | undefined {
  const value = call[name]
  if (value === undefined || isObject(value)) return value
  problems.push(`${name} is not an object`)
  return undefined
}

/** PostgreSQL's range ends where a four-digit year does for an ISO string; so does good sense for an event. */
function occurrence(value: Json | undefined, problems: string[]): string {
  if (value === undefined) return new Date().toISOString()
  if (typeof value === 'string' && moment.safeParse(value).success && !value.startsWith('0000')) return value
  problems.push('timestamp is not a Date or an ISO 8601 string with an offset')
  return new Date().toISOString()
}

function checkIntegrations(value: Json | undefined, problems: string[]): void {
  if (value === undefined) return
  if (!isObject(value)) problems.push('integrations is not an object')
  else if (value['Segment.io'] === false) {
    problems.push(
      'integrations switches Segment.io off: the client would report it delivered and send nothing',
    )
  }
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
