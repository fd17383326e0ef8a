import { COUNT_LIMIT, SOURCE_COUNT_LIMIT } from '../../operate/inspect/types'
import { duration, moment } from '../../operate/inspect/words'

/** A moment as seen from `now`, roughly: `3 min ago`, `in 2 h`, `just now`. */
export function relative(at: Date, now: Date): string {
  const ms = now.getTime() - Number(at)
  if (!Number.isFinite(ms)) return moment(at)
  if (Math.abs(ms) < 1000) return 'just now'
  const roughly = duration(Math.abs(ms)).split(' ').slice(0, 2).join(' ')
  return ms > 0 ? `${roughly} ago` : `in ${roughly}`
}

/** A count; one that stopped at the bound says so. */
export function count(n: number, limit = COUNT_LIMIT): string {
  return `${n.toLocaleString('en')}${n >= limit ? '+' : ''}`
}

/** A count of one source's messages: those stop sooner. */
export function countOfSource(n: number): string {
  return count(n, SOURCE_COUNT_LIMIT)
}

/** `1 message`, `1,204 messages`. */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`
}
