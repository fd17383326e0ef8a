import { InvalidArgumentError } from 'commander'

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

/** A moment as people type it: ISO 8601 (in UTC where no zone is named), or how long ago it was, such as `2h`. */
export function parseMoment(text: string): Date {
  const [, amount, unit = ''] = /^(\d{1,6})([smhdw])$/.exec(text) ?? []
  if (amount !== undefined) return new Date(Date.now() - Number(amount) * (UNITS[unit] as number) * 1000)
  const iso = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?)?$/.exec(text)
  const at = new Date(iso?.[1] && !iso[4] ? `${text.replace(' ', 'T')}Z` : text.replace(' ', 'T'))
  if (iso && !Number.isNaN(at.getTime())) return at
  throw new InvalidArgumentError(
    'It has to be ISO 8601 such as 2026-11-23T08:00Z, or an age such as 2h or 7d.',
  )
}
