import { isMainThread } from 'node:worker_threads'

const RealDate = Date
const OFFSET = 'HOST_CLOCK_OFFSET_MS'

/**
 * Sets the clock that this process reads, by so many milliseconds from the true one. Its timers go on as before. Threads
 * that it starts from then on read the same clock, where this file is preloaded in them.
 */
export function setHostClock(offsetMs: number): void {
  process.env[OFFSET] = String(offsetMs)
  globalThis.Date = class extends RealDate {
    constructor(...given: [] | [string | number | Date]) {
      if (given.length === 0) super(RealDate.now() + offsetMs)
      else super(...given)
    }

    static override now(): number {
      return RealDate.now() + offsetMs
    }
  } as DateConstructor
}

if (!isMainThread && process.env[OFFSET]) setHostClock(Number(process.env[OFFSET]))
