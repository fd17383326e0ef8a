import type { Verdict } from '../segment/verdict'

export interface BackoffOptions {
  /** First pause after a failure, in milliseconds; doubles with each further one. */
  initialMs: number
  /** Longest pause, in milliseconds. */
  maxMs: number
  /** Shortest pause after the write key was refused, in milliseconds: only a person can mend that. */
  refusedMs: number
}

/**
 * How long a source rests after a failed attempt: exponential with full jitter (0 to the current ceiling), so that
 * sources which failed together do not come back together. A `Retry-After` is the least it waits.
 *
 * @param failures failed attempts since the last success, this one included
 * @param random from 0 (inclusive) to 1 (exclusive)
 */
export function backoffMs(
  verdict: Exclude<Verdict, { kind: 'accepted' | 'refused-message' }>,
  failures: number,
  options: BackoffOptions,
  random: number = Math.random(),
): number {
  const ceiling = Math.min(options.maxMs, options.initialMs * 2 ** Math.min(failures - 1, 30))
  const jittered = random * ceiling
  const asked = 'retryAfterMs' in verdict ? (verdict.retryAfterMs ?? 0) : 0
  const floor = verdict.kind === 'refused-source' ? options.refusedMs : 0
  // Jitter comes on top of what was asked for: every source of a throttled workspace hears the same number.
  return Math.max(asked, floor) + jittered
}
