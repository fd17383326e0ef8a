import type { Observation } from './http-client'
import { retryAfterMs } from './retry-after'

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
/** Characters of a reason, which becomes part of rows, logs and the settings page. */
const MAX_REASON = 300

/** Pure: the same observation always has the same verdict. `now` is only used to read an HTTP date. */
export function judge(seen: Observation, now: number = Date.now()): Verdict {
  if (seen.kind === 'unsent') {
    const reason = readable(seen.message)
    return seen.about === 'messages'
      ? { kind: 'refused-message', reason }
      : { kind: 'refused-source', reason }
  }
  if (seen.kind === 'error') {
    const reason = readable(seen.message === seen.code ? seen.code : `${seen.code}: ${seen.message}`)
    return seen.written ? { kind: 'ambiguous', reason } : { kind: 'unreachable', reason }
  }
  return judgeResponse(seen, now)
}

function judgeResponse(seen: Extract<Observation, { kind: 'response' }>, now: number): Verdict {
  const { status } = seen
  const asked = retryAfterMs(status, seen.headers, now)
  const timed = asked === undefined ? {} : { retryAfterMs: asked }
  if (status === 200) {
    if (seen.complete && saysSuccess(seen.body)) return { kind: 'accepted' }
    const what = seen.complete ? 'without a success body' : 'whose body did not arrive whole'
    return { kind: 'ambiguous', reason: `HTTP 200 ${what}`, ...timed }
  }
  const reason = readable(`HTTP ${status}${seen.body.trim() === '' ? '' : `: ${seen.body}`}`)
  if (status === 429) return { kind: 'throttled', reason, ...timed }
  if (MESSAGE.has(status)) return { kind: 'refused-message', reason }
  if (status >= 400 && status < 500 && !UNCLEAR_4XX.has(status)) {
    return { kind: 'refused-source', reason, ...timed }
  }
  // What is left may all have been processed: another 2xx, a redirect (a 303 says so outright), any 5xx.
  return { kind: 'ambiguous', reason, ...timed }
}

function saysSuccess(body: string): boolean {
  try {
    return (JSON.parse(body) as { success?: unknown } | null)?.success === true
  } catch {
    return false
  }
}

/**
 * A line that people can read and PostgreSQL can store: an answer may hold anything, and U+0000 or half a surrogate
 * pair, left by the cut, would make the statement fail that settles the batch.
 */
function readable(text: string): string {
  return text
    .slice(0, MAX_REASON)
    .replaceAll(/[\s\p{C}]+/gu, ' ')
    .trim()
}
