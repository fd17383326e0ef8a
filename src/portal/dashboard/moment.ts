import { html } from 'hono/html'
import type { Html } from './layout'

const absolute = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'medium',
  timeStyle: 'short',
  timeZone: 'UTC',
})
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
const UNITS = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const

/** A moment, as `3 minutes ago (2 Mar 2026, 09:00 UTC)`. */
export function moment(at: Date, now: Date): Html {
  return html`<time datetime="${at.toISOString()}">${distance(at, now)} <span class="quiet">(${absolute.format(at)} UTC)</span></time>`
}

/** `in 2 hours`, `3 minutes ago`, `just now`. */
export function distance(at: Date, now: Date): string {
  const seconds = (Number(at) - now.getTime()) / 1000
  if (!Number.isFinite(seconds)) return 'at no set time' // PostgreSQL's infinity
  if (Math.abs(seconds) < 2) return 'just now'
  const [unit, length] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? UNITS[3]
  return relative.format(Math.trunc(seconds / length), unit)
}
