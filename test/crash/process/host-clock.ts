const RealDate = Date

/** Sets the clock that this process reads, by so many milliseconds from the true one. Its timers go on as before. */
export function setHostClock(offsetMs: number): void {
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
