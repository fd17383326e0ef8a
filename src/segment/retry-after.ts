import type { ResponseHeaders } from './http-client'

/** More is not believed: after an hour it is tried again, so that a mistake cannot park a source for long. */
const MAX_MS = 3_600_000

/** The three forms of an HTTP date (RFC 9110, 5.6.7). `Date.parse` alone would read "1.5" or "-1" as a day in 2001. */
const IMF_FIXDATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/
const RFC_850 = /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/
const ASCTIME = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/

/**
 * How long the server asks to be left alone, in milliseconds from 0 to an hour: `Retry-After` in seconds or as an HTTP
 * date (RFC 9110, 10.2.3); for a 429 else `X-RateLimit-Reset`, which Segment documents in seconds.
 *
 * @param now our clock, for a date from a server that does not tell its own
 */
export function retryAfterMs(status: number, headers: ResponseHeaders, now: number): number | undefined {
  const value = headers['retry-after']?.trim() ?? ''
  // A date is read against the server's own clock where it sent one: ours may be minutes off.
  const asked = seconds(value) ?? until(value, httpDate(headers.date?.trim() ?? '') ?? now)
  // Only there: a server that counts requests may tell its next reset with every answer.
  const ms = asked ?? (status === 429 ? seconds(headers['x-ratelimit-reset']?.trim() ?? '') : undefined)
  return ms === undefined ? undefined : Math.min(Math.max(ms, 0), MAX_MS)
}

/** Whole seconds, as specified, and fractions, as some servers send them. */
function seconds(value: string): number | undefined {
  return /^\d+(\.\d+)?$/.test(value) ? Math.ceil(Number(value) * 1000) : undefined
}

function until(value: string, from: number): number | undefined {
  const date = httpDate(value)
  return date === undefined ? undefined : date - from
}

function httpDate(value: string): number | undefined {
  const gmt = ASCTIME.test(value) ? `${value} GMT` : value
  const known = gmt !== value || IMF_FIXDATE.test(value) || RFC_850.test(value)
  const ms = known ? Date.parse(gmt) : Number.NaN
  return Number.isNaN(ms) ? undefined : ms
}
