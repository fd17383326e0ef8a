const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Round numbers from zero up to at least `max`, up to five of them and `leastStep` apart. */
export function niceTicks(max: number, leastStep = 0): number[] {
  if (max <= 0) return [0]
  const rough = Math.max(max / 4, leastStep)
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power
  return Array.from({ length: Math.ceil(max / step) + 1 }, (_, i) => i * step)
}

/** Steps whose multiples, up to the fourth, are written in one unit: never `1 min 30 s`. */
const durationSteps = [
  ...[1, 2, 5, 10, 20, 50, 100, 250, 500],
  ...[1, 2, 5, 10, 15].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15].map((n) => n * MINUTE),
  ...[1, 2, 3, 6].map((n) => n * HOUR),
]

/** Round durations from zero up to at least `max`, up to five of them, in milliseconds. */
export function durationTicks(max: number): number[] {
  if (max <= 0) return [0]
  const step = durationSteps.find((ms) => 4 * ms >= max) ?? Math.ceil(max / 4 / DAY) * DAY
  return Array.from({ length: Math.ceil(max / step) + 1 }, (_, i) => i * step)
}

/** Moments on the hour, or at midnight, of a span in UTC, with how to write them. */
export function timeTicks(from: Date, to: Date): { at: Date; label: string }[] {
  const span = to.getTime() - from.getTime()
  const step = span <= HOUR ? 15 * MINUTE : span <= DAY ? 6 * HOUR : DAY
  const ticks = []
  for (let at = Math.ceil(from.getTime() / step) * step; at <= to.getTime(); at += step) {
    ticks.push({ at: new Date(at), label: label(new Date(at), step) })
  }
  return ticks
}

function label(at: Date, step: number): string {
  if (step < DAY) return at.toISOString().slice(11, 16)
  return at.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', timeZone: 'UTC' })
}
