import { html } from 'hono/html'
import type { ActivityPoint } from '../../operate/inspect/types'
import { type Html, when } from '../view/html'
import { plot } from '../view/plot'
import { durationTicks, niceTicks } from '../view/scale'
import { count, duration } from '../view/words'
import type { Visit } from '../visit'

const MINUTE = 60_000

/** What the plots can span, and the span of one bar. */
export const ranges = {
  '1h': { label: '1 hour', spanMs: MINUTE, points: 60 },
  '24h': { label: '24 hours', spanMs: 20 * MINUTE, points: 72 },
  '7d': { label: '7 days', spanMs: 120 * MINUTE, points: 84 },
} as const
export type Range = keyof typeof ranges

/** The plots of everything, or of one source: that one has no history of its backlog and lag. */
export async function activityPlots(visit: Visit, range: Range, sourceId?: string): Promise<Html> {
  const { spanMs, points } = ranges[range]
  // Spans begin at the same moments for every look, so that bars do not change their height from one to the next.
  const to = Math.ceil((visit.now.getTime() + 1) / spanMs) * spanMs
  const activity = await visit.outbox.inspect.activity({
    from: new Date(to - points * spanMs),
    to: new Date(to),
    points,
    sourceId,
  })
  const at = activity.map((point) => point.at)
  const perMinute = (of: (point: ActivityPoint) => number) =>
    activity.map((point) => {
      const passed = Math.min(spanMs, Math.max(MINUTE, visit.now.getTime() - point.at.getTime()))
      return (of(point) / passed) * MINUTE
    })
  const shared = { at, spanMs }
  const sampled = {
    ...shared,
    kind: 'lines' as const,
    unit: '',
    empty: activity.some(({ backlog }) => backlog !== null) ? 'nothing waited' : 'no process dispatched',
  }
  return html`<div class="plots">
  ${when(
    sourceId === undefined,
    () => html`${plot({
      ...sampled,
      title: 'Backlog',
      write: figure,
      ticks: (peak) => niceTicks(peak, 1),
      series: [{ name: 'waiting', values: activity.map(({ backlog }) => backlog) }],
    })}
  ${plot({
    ...sampled,
    title: 'Lag',
    write: duration,
    ticks: durationTicks,
    series: [{ name: 'oldest waiting', values: activity.map(({ lagMs }) => lagMs) }],
  })}`,
  )}
  ${plot({
    ...shared,
    title: 'Messages a minute',
    kind: 'bars',
    unit: '/min',
    write: figure,
    empty: 'nothing was settled',
    series: [
      { name: 'dead', values: perMinute((point) => point.dead) },
      { name: 'uncertain', values: perMinute((point) => point.uncertain) },
      { name: 'delivered', values: perMinute((point) => point.delivered) },
    ],
  })}
  ${plot({
    ...shared,
    title: 'Requests a minute',
    kind: 'bars',
    unit: '/min',
    write: figure,
    empty: 'no request was made',
    series: [
      { name: 'not accepted', values: perMinute((point) => point.failedRequests) },
      { name: 'accepted', values: perMinute((point) => point.requests - point.failedRequests) },
    ],
  })}
  ${plot({
    ...shared,
    title: 'Latency of requests',
    kind: 'lines',
    unit: '',
    write: duration,
    ticks: durationTicks,
    empty: 'no request was made',
    series: [
      { name: 'median', values: activity.map((point) => point.p50Ms) },
      { name: 'p95', values: activity.map((point) => point.p95Ms) },
    ],
  })}
  </div>`
}

function figure(value: number): string {
  if (value >= 10_000) return `${count(Math.round(value / 1000))}k`
  return value >= 10 || Number.isInteger(value) ? count(Math.round(value)) : value.toFixed(1)
}
