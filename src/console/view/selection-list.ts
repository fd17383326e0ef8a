import { html } from 'hono/html'
import { type Html, shown } from './html'

const words = new Map([
  ['messageIds', 'Message'],
  ['sourceId', 'Source'],
  ['portalId', 'Portal'],
  ['event', 'Event'],
  ['type', 'Type'],
  ['userId', 'User ID'],
  ['anonymousId', 'Anonymous ID'],
  ['status', 'Status'],
  ['reason', 'Reason'],
  ['recordedFrom', 'Recorded from'],
  ['recordedTo', 'Recorded before'],
])

/** Which messages an operation is for: the review page's selection, or one that the audit trail has kept. */
export function selectionList(selection: Readonly<Record<string, unknown>>): Html {
  const given = Object.entries(selection).filter(([, value]) => value !== undefined)
  return html`<dl class="selected">${given.map(
    ([name, value]) => html`<dt>${words.get(name) ?? shown(name)}</dt><dd>${shown(written(value))}</dd>`,
  )}</dl>`
}

function written(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof Date) return value.toISOString()
  return Array.isArray(value) ? value.join(', ') : JSON.stringify(value)
}
