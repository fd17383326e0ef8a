import { setTimeout as pause } from 'node:timers/promises'

/** Rests for so many milliseconds, none if it is no positive number, or until the signal aborts. Never rejects. */
export async function rest(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await pause(ms, undefined, { signal }).catch(() => undefined)
}
