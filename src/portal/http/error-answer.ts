import type { Context } from 'hono'
import { PortalError, UnauthenticatedError } from '../errors'

/** The body of every answer that is not a success. */
export function errorBody(code: string, message: string, fields?: Readonly<Record<string, string>>) {
  return { error: { code, message, ...(fields && { fields }) } }
}

/** Answers a refusal as such; anything else is our mistake, which the caller learns nothing of. */
export function answerError(error: unknown, c: Context, onError: (error: unknown) => void): Response {
  if (error instanceof PortalError) {
    if (error instanceof UnauthenticatedError) c.header('WWW-Authenticate', 'Bearer')
    return c.json(errorBody(error.code, error.message, error.fields), error.status)
  }
  onError(error)
  return c.json(errorBody('internal', 'Something went wrong on our side.'), 500)
}
