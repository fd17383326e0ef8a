import { html } from 'hono/html'
import { COUNT_LIMIT, type DispatcherState, type Overview } from '../../operate/inspect/types'
import { type Html, shown, when } from '../view/html'
import { table } from '../view/table'
import { count, counted, duration, moment, upTo } from '../view/words'
import type { Page, Visit } from '../visit'
import { activityPlots, type Range, ranges } from './activity-plots'
import { sourcesTable } from './sources-table'

const LIVE_SECONDS = 10
const TROUBLED_SOURCES = 8

export async function overviewPage(visit: Visit): Promise<Page> {
  const { outbox, query, link } = visit
  const range: Range = Object.hasOwn(ranges, query.range ?? '') ? (query.range as Range) : '1h'
  const live = query.live === 'yes'
  const [now, sources, plots] = await Promise.all([
    outbox.inspect.overview(),
    outbox.inspect.sources({ limit: TROUBLED_SOURCES }),
    activityPlots(visit, range),
  ])
  const address = (to: { range?: string; live?: string }) =>
    link('', { range: to.range ?? range, live: to.live ?? (live ? 'yes' : '') })
  return {
    title: 'Overview',
    refreshSeconds: live ? LIVE_SECONDS : undefined,
    body: html`
    <div class="bar-of">
      <h1>Overview</h1>
      <p><a href="${address({ live: live ? 'no' : 'yes' })}">${live ? 'Stop loading it again' : `Load it again every ${LIVE_SECONDS} s`}</a></p>
    </div>
    ${tiles(visit, now)}
    <div class="bar-of">
      <h2>Over time</h2>
      <nav aria-label="Span of the plots"><ul class="choices">${Object.entries(ranges).map(
        ([name, { label }]) =>
          html`<li><a href="${address({ range: name })}"${when(name === range, () => html` aria-current="true"`)}>${label}</a></li>`,
      )}</ul></nav>
    </div>
    ${plots}
    <h2>Sources, those in trouble first</h2>
    ${
      sources.length > 0
        ? html`${sourcesTable(visit, sources, `${counted(sources.length, 'source')}, the most troubled first`)}
        <p><a href="${link('/sources')}">All sources</a></p>`
        : html`<p class="say">No portal is connected to Segment yet. Until one is, nothing is recorded.</p>`
    }
    <h2>Dispatchers</h2>
    ${dispatchers(visit, now.dispatchers)}`,
  }
}

function tiles({ link }: Visit, now: Overview): Html {
  const { sources } = now
  return html`<dl class="tiles">
    <div><dt>Backlog</dt><dd>${upTo(COUNT_LIMIT, now.pending)}<span class="note">${now.pending === 1 ? 'message waits' : 'messages wait'}</span></dd></div>
    <div><dt>Lag</dt><dd>${now.lagMs === null ? '0 s' : duration(now.lagMs)}<span class="note">${now.lagMs === null ? 'nothing waits' : 'the oldest has waited'}</span></dd></div>
    <div><dt>Dead</dt><dd class="${now.dead > 0 ? 'bad-number' : ''}">${upTo(COUNT_LIMIT, now.dead)}<span class="note">${trouble(now.dead, link('/failures'), 'refused, or never sendable')}</span></dd></div>
    <div><dt>Uncertain</dt><dd class="${now.uncertain > 0 ? 'warn-number' : ''}">${upTo(COUNT_LIMIT, now.uncertain)}<span class="note">${trouble(now.uncertain, link('/failures'), 'a person has to decide')}</span></dd></div>
    <div><dt>Delivered</dt><dd>${estimate(now.deliveredEstimate)}<span class="note">still kept</span></dd></div>
    <div><dt>Sources</dt><dd>${count(sources.enabled)}<span class="note">enabled, ${count(sources.paused)} paused, ${count(sources.disabled)} disabled</span></dd></div>
  </dl>`
}

function trouble(n: number, address: string, words: string): Html | string {
  return n > 0 ? html`<a href="${address}">${words}</a>` : 'none'
}

/** The planner's guess, with as many digits as it deserves. */
function estimate(n: number): string {
  return n === 0 ? '0' : `≈ ${new Intl.NumberFormat('en-GB', { notation: 'compact' }).format(n)}`
}

function dispatchers({ now, link }: Visit, running: readonly DispatcherState[]): Html {
  if (running.length === 0) {
    return html`<p class="say bad">No process dispatches: what is recorded waits. Does any of them call <code>outbox.start()</code>? <a href="${link('/doctor')}">Ask the doctor</a>.</p>`
  }
  return table(
    'Processes that dispatch, by their own heartbeats',
    [
      { label: 'Process', cell: ({ owner }) => shown(owner) },
      {
        label: 'State',
        cell: ({ alive }) =>
          html`<span class="badge ${alive ? 'good' : 'bad'}">${alive ? 'alive' : 'silent'}</span>`,
      },
      { label: 'Last tick', cell: ({ lastTickAt }) => moment(lastTickAt, now) },
      { label: 'Started', cell: ({ startedAt }) => moment(startedAt, now) },
      { label: 'Leases', figures: true, cell: ({ leases }) => count(leases) },
    ],
    running,
  )
}
