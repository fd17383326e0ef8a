import type { Observation } from './http-client'

/** An answer or an error may echo the request: the write key must not reach logs or rows that way. */
export function redacted(seen: Observation, writeKey: string): Observation {
  if (writeKey === '') return seen
  // Basic auth encodes "key:"; the padding may be missing or escaped in an echo.
  const basic = Buffer.from(`${writeKey}:`).toString('base64').replace(/=+$/, '')
  const clean = (text: string) => text.replaceAll(writeKey, '[write key]').replaceAll(basic, '[write key]')
  return seen.kind === 'response'
    ? { ...seen, body: clean(seen.body) }
    : { ...seen, message: clean(seen.message) }
}
