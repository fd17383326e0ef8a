import { OperationError } from '../../errors'

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i

/** The limit, or its default. Throws OperationError where it is out of bounds. */
export function checkLimit(given: number | undefined, preset: number, max: number): number {
  const limit = given ?? preset
  if (Number.isInteger(limit) && limit >= 1 && limit <= max) return limit
  throw wrong('limit', `a whole number from 1 to ${max}`)
}

/** Throws OperationError for what is given and is no UUID. */
export function checkUuid(name: string, value: unknown): void {
  if (value !== undefined && !isUuid(value)) throw wrong(name, 'a UUID')
}

/** Throws OperationError for what is given and is no text PostgreSQL can compare with. */
export function checkText(name: string, value: unknown): void {
  if (value !== undefined && (typeof value !== 'string' || value.includes('\0'))) throw wrong(name, 'a text')
}

/** Throws OperationError for what is given and is no date. */
export function checkDate(name: string, value: unknown): void {
  if (value === undefined || (value instanceof Date && !Number.isNaN(value.getTime()))) return
  throw wrong(name, 'a valid Date')
}

/** Throws OperationError for what is given and is not among `known`. */
export function checkOneOf(name: string, value: unknown, known: readonly string[]): void {
  if (value !== undefined && !known.includes(value as string)) throw wrong(name, `one of ${known.join(', ')}`)
}

export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value)
}

function wrong(name: string, needed: string): OperationError {
  return new OperationError(
    `\`${name}\` is not valid.`,
    'The outbox will not guess what is looked for.',
    `It has to be ${needed}.`,
  )
}
