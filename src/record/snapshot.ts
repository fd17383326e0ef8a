/** A JSON value, as it will be on the wire. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

export interface Snapshot {
  /** A copy by value: later changes of the original change nothing. Where something cannot be sent, a stand-in. */
  readonly value: Json | undefined
  /** What cannot be sent, each with its path. Empty when `value` is exactly what the caller gave. */
  readonly problems: string[]
}

/** Nesting that is kept. PostgreSQL's jsonb parser fails on deep input and would abort the business transaction. */
const MAX_DEPTH = 64
/** Size (UTF-16 units of text plus four per other value) after which copying stops: bounds time and memory. */
const MAX_SIZE = 262_144
const MAX_PROBLEMS = 5

/**
 * Copies any JavaScript value to JSON by these rules, and never throws:
 * `undefined`, functions and symbols are left out (null in arrays, as JSON does); Dates become ISO strings; objects
 * with `toJSON` become what it returns; U+0000 and lone surrogates, which neither UTF-8 nor jsonb can hold, become
 * U+FFFD. BigInt, NaN, infinities, invalid dates, cycles, Maps and the like, getters that throw, nesting beyond
 * 64 levels and more than 256 Ki characters are problems: JSON would lose or falsify them silently.
 */
export function snapshot(input: unknown, path = ''): Snapshot {
  const problems: string[] = []
  const ancestors = new Set<object>()
  let size = 0

  const problem = (at: string, what: string, standIn: Json): Json => {
    if (problems.length < MAX_PROBLEMS) problems.push(`${at || 'the value'} ${what}`)
    return standIn
  }

  const copy = (value: unknown, at: string): Json | undefined => {
    size += typeof value === 'string' ? value.length : 4
    if (size > MAX_SIZE) return problem(at, `is beyond the ${MAX_SIZE} characters that are kept`, '[cut]')
    switch (typeof value) {
      case 'string':
        return storable(value)
      case 'boolean':
        return value
      case 'number':
        if (!Number.isFinite(value)) return problem(at, `is ${value}, which JSON has no form for`, `${value}`)
        return value === 0 ? 0 : value // JSON has no -0
      case 'bigint':
        return problem(at, 'is a BigInt, which JSON has no form for', `${value}`)
      case 'object':
        return value === null ? null : copyObject(value, at)
      default:
        return undefined
    }
  }

  const copyObject = (value: object, at: string): Json | undefined => {
    if (ancestors.has(value)) return problem(at, 'refers back to itself', '[cycle]')
    if (ancestors.size >= MAX_DEPTH) return problem(at, `is nested deeper than ${MAX_DEPTH} levels`, '[deep]')
    ancestors.add(value)
    try {
      return copyMembers(value, at)
    } catch (error) {
      return problem(at, `cannot be read (${messageOf(error)})`, '[unreadable]')
    } finally {
      ancestors.delete(value)
    }
  }

  const copyMembers = (value: object, at: string): Json | undefined => {
    if (value instanceof Date) {
      return Number.isNaN(value.getTime())
        ? problem(at, 'is an invalid Date', 'Invalid Date')
        : value.toISOString()
    }
    if (value instanceof String || value instanceof Number || value instanceof Boolean) {
      return copy(value.valueOf(), at)
    }
    const { toJSON } = value as { toJSON?: unknown }
    if (typeof toJSON === 'function') return copy(toJSON.call(value, ''), at)
    if (Array.isArray(value)) return copyArray(value, at)
    const foreign = foreignKind(value)
    if (foreign !== undefined) return problem(at, `is a ${foreign}, which JSON would empty`, `[${foreign}]`)
    const result: JsonObject = {}
    for (const key of Object.keys(value)) {
      if (size > MAX_SIZE) break
      const where = at === '' ? key : `${at}.${key}`
      size += key.length
      const member = copy((value as Record<string, unknown>)[key], where)
      if (key === '__proto__') problem(where, 'is a name that JavaScript objects cannot carry', null)
      else if (member !== undefined) result[storable(key)] = member
    }
    return result
  }

  const copyArray = (value: unknown[], at: string): Json => {
    const result: Json[] = []
    for (let i = 0; i < value.length && size <= MAX_SIZE; i++)
      result.push(copy(value[i], `${at}[${i}]`) ?? null)
    return result
  }

  return { value: copy(input, path), problems }
}

/** Text that UTF-8 and jsonb can hold: U+0000 and lone surrogates become U+FFFD. */
export function storable(text: string): string {
  const formed = text.isWellFormed() ? text : text.toWellFormed()
  return formed.includes('\0') ? formed.replaceAll('\0', '\uFFFD') : formed
}

/** The name of a built-in kind whose content JSON.stringify would silently drop. */
function foreignKind(value: object): string | undefined {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return 'binary buffer'
  const kind = Object.prototype.toString.call(value).slice(8, -1)
  return ['Map', 'Set', 'WeakMap', 'WeakSet', 'Promise', 'RegExp', 'Error'].includes(kind) ? kind : undefined
}

function messageOf(error: unknown): string {
  try {
    return storable(String(error instanceof Error ? error.message : error)).slice(0, 200)
  } catch {
    return 'it throws when it is read'
  }
}
