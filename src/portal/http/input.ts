import type { Context } from 'hono'
import { z } from 'zod'
import { ValidationError } from '../errors'

/** Text of `min` to `max` characters that PostgreSQL can store: no U+0000, no half of a surrogate pair. */
export const text = (min: number, max: number) =>
  z
    .string()
    .min(min)
    .max(max)
    .refine((value) => !value.includes('\0') && !/\p{Surrogate}/u.test(value), 'Invalid characters')

/** A name: not blank, without spaces around it. */
export const label = (max: number) => text(1, max).trim().min(1)

export const uuid = () => z.guid().toLowerCase()

/** The request's JSON body; none counts as `{}`. Throws ValidationError with a message for each field. */
export async function readBody<Schema extends z.ZodType>(
  c: Context,
  schema: Schema,
): Promise<z.output<Schema>> {
  const body = await c.req.text()
  let value: unknown
  try {
    value = body === '' ? {} : JSON.parse(body)
  } catch {
    throw new ValidationError({ body: 'Not JSON' })
  }
  return check(schema, value)
}

/** The `:id` of the address. Throws ValidationError where it is no id at all. */
export function readId(c: Context): string {
  return check(z.object({ id: uuid() }), { id: c.req.param('id') }).id
}

function check<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const fields: Record<string, string> = {}
  for (const { path, message } of result.error.issues) fields[path.join('.') || 'body'] ??= message
  throw new ValidationError(fields)
}
