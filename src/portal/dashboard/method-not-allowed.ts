import type { Handler } from 'hono'
import { refusalPage } from './refusal-page'

/** For an address that is there, but not with that method. `allowed` as in the header: `GET, POST`. */
export function methodNotAllowed(allowed: string): Handler {
  return (c) => {
    c.header('Allow', allowed)
    return refusalPage(c, 405)
  }
}
