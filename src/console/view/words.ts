import { html } from 'hono/html'
import { moment as written } from '../../operate/inspect/words'
import type { Html } from './html'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** A count, in groups of three: 1,204,113. */
export function count(n: number): string {
  return n.toLocaleString('en-GB')
}

/** A count that is exact up to a limit, and from there at least that: 1,000,000+. */
export function upTo(limit: number, n: number): string {
  return n < limit ? count(n) : `${count(limit)}+`
}

/** `1 message`, `2 messages`. */
export function counted(n: number, noun: string, plural = `${noun}s`): string {
  return `${count(n)} ${n === 1 ? noun : plural}`
}

/** A duration in its two largest units: `340 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`, `5 d 3 h`. */
export function duration(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`
  if (ms < 10 * SECOND) return `${(ms / SECOND).toFixed(1).replace('.0', '')} s`
  const units = [
    ['d', DAY],
    ['h', HOUR],
    ['min', MINUTE],
    ['s', SECOND],
  ] as const
  const largest = units.findIndex(([, size]) => ms >= size)
  const [name, size] = units[largest] ?? ['s', SECOND]
  const [lesser, lesserSize] = units[largest + 1] ?? ['', 0]
  const rest = lesserSize > 0 ? Math.floor((ms % size) / lesserSize) : 0
  return `${Math.floor(ms / size)} ${name}${rest > 0 ? ` ${rest} ${lesser}` : ''}`
}

/** A moment, seen from `now`: `3 min ago`, `in 20 s`; the absolute time is behind it. */
export function moment(at: Date | null | undefined, now: Date): Html {
  if (!at) return html`<span class="none">–</span>`
  const ms = now.getTime() - Number(at)
  if (!Number.isFinite(ms)) return html`${written(at)}`
  const words = Math.abs(ms) < SECOND ? 'now' : ms > 0 ? `${roughly(ms)} ago` : `in ${roughly(-ms)}`
  return html`<time datetime="${at.toISOString()}" title="${utc(at)}">${words}</time>`
}

/** A moment on the clock, where its order among others matters: `18:04:05.120`, with the day where it is not today. */
export function clock(at: Date, now: Date): Html {
  const text = utc(at)
  const [day, time] = [text.slice(0, 10), text.slice(11, 23)]
  const today = now.toISOString().startsWith(day)
  return html`<time datetime="${at.toISOString()}" title="${text}">${today ? time : `${day} ${time.slice(0, 8)}`}</time>`
}

/** `2026-11-23 18:04:05.120 UTC`. */
export function utc(at: Date): string {
  return `${at.toISOString().replace('T', ' ').slice(0, 23)} UTC`
}

/** Bytes on the wire: `412 B`, `31.2 KB`. */
export function bytes(n: number): string {
  return n < 1000 ? `${n} B` : `${(n / 1000).toFixed(1)} KB`
}

function roughly(ms: number): string {
  if (ms >= 2 * DAY) return `${Math.floor(ms / DAY)} d`
  if (ms >= HOUR) return duration(ms - (ms % MINUTE))
  if (ms >= MINUTE) return `${Math.floor(ms / MINUTE)} min`
  return `${Math.floor(ms / SECOND)} s`
}
