/** `1 message`, `2 messages`. */
export function plural(n: number, noun: string, nouns = `${noun}s`): string {
  return `${n} ${n === 1 ? noun : nouns}`
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const

/** A duration in its two largest units, as people say it: `3 min 20 s`. */
export function duration(ms: number): string {
  const at = UNITS.findIndex(([, size]) => ms >= size)
  const unit = UNITS[at]
  if (unit === undefined) return `${Math.round(ms)} ms`
  const smaller = UNITS[at + 1]
  const whole = `${Math.floor(ms / unit[1])} ${unit[0]}`
  const rest = smaller === undefined ? 0 : Math.floor((ms % unit[1]) / smaller[1])
  return smaller === undefined || rest === 0 ? whole : `${whole} ${rest} ${smaller[0]}`
}

/**
 * A moment, to the second, in UTC: the same for whoever reads it, wherever they are. PostgreSQL's `infinity`, which a
 * hand at the database may have set, comes as a number that no calendar has.
 */
export function moment(at: Date): string {
  if (!Number.isFinite(Number(at))) return Number(at) < 0 ? 'the beginning of time' : 'the end of time'
  return `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`
}
