import type { Observation } from './http-client'

/** What an observation means for the batch that was sent. */
export type Verdict =
  /** A 200 with a success body: Segment has it. */
  | { kind: 'accepted' }
  /** Segment will not take these messages as they are. They were not accepted. */
  | { kind: 'refused-message'; reason: string }
  /** Segment will not take anything from this source now. They were not accepted. */
  | { kind: 'refused-source'; reason: string; retryAfterMs?: number }
  /** Too many requests. They were not accepted. */
  | { kind: 'throttled'; reason: string; retryAfterMs?: number }
  /** No byte reached Segment. */
  | { kind: 'unreachable'; reason: string }
  /** Segment may have accepted them, or not. Sending again is safe inside the dedup window only. */
  | { kind: 'ambiguous'; reason: string; retryAfterMs?: number }

/** Statuses that speak of the messages themselves. */
const MESSAGE = new Set([400, 413, 422])
/** Statuses by which an answering server may still have processed the request. */
const UNCLEAR_4XX = new Set([408, 409, 425, 460, 499])
/** `Retry-After` beyond this is not believed: an hour is tried again, so that a mistake cannot park a source for long. */
const MAX_RETRY_AFTER_MS = 3_600_000

/** Pure: the same observation always has the same verdict. `now` is only used to read an HTTP date. */
export function judge(seen: Observation, now: number = Date.now()): Verdict {
  if (seen.kind === 'unsent') return { kind: 'refused-message', reason: seen.message }
  if (seen.kind === 'error') {
    const reason = `${seen.code}: ${seen.message}`
    return seen.written ? { kind: 'ambiguous', reason } : { kind: 'unreachable', reason }
  }
  const { status } = seen
  const retryAfterMs = retryAfter(seen.headers, now)
  const timed = retryAfterMs === undefined ? {} : { retryAfterMs }
  if (status === 200) {
    if (seen.complete && saysSuccess(seen.body)) return { kind: 'accepted' }
    const what = seen.complete ? 'without a success body' : 'whose body did not arrive whole'
    return { kind: 'ambiguous', reason: `HTTP 200 ${what}`, ...timed }
  }
  const reason = `HTTP ${status}${excerpt(seen.body)}`
  if (status === 429) return { kind: 'throttled', reason, ...timed }
  if (MESSAGE.has(status)) return { kind: 'refused-message', reason }
  if (status >= 400 && status < 500 && !UNCLEAR_4XX.has(status))
    return { kind: 'refused-source', reason, ...timed }
  return { kind: 'ambiguous', reason, ...timed }
}

function saysSuccess(body: string): boolean {
  try {
    return (JSON.parse(body) as { success?: unknown } | null)?.success === true
  } catch {
    return false
  }
}

/** The first words of a refusal, for the reason that people read. */
function excerpt(body: string): string {
  const text = body.replaceAll(/\s+/g, ' ').trim().slice(0, 200)
  return text === '' ? '' : `: ${text}`
}

/** `Retry-After` in seconds or as an HTTP date (RFC 9110, 10.2.3), else `X-RateLimit-Reset` in seconds. */
function retryAfter(headers: Record<string, string | string[] | undefined>, now: number): number | undefined {
  const value = first(headers['retry-after']) ?? first(headers['x-ratelimit-reset'])
  if (value === undefined) return undefined
  const server = Date.parse(first(headers.date) ?? '')
  // A date is read against the server's own clock where it sent one: ours may be minutes off.
  const ms = /^\d+$/.test(value)
    ? Number(value) * 1000
    : Date.parse(value) - (Number.isNaN(server) ? now : server)
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS)
}

function first(value: string | string[] | undefined): string | undefined {
  return (Array.isArray(value) ? value[0] : value)?.trim()
}
