import { html } from 'hono/html'
import type { ComparedDay, Counts, Gap, ReconcileReport, SourceComparison } from '../../reconcile/report'
import { comparisonChoices } from '../actions/comparison-choices'
import { form, reasonField } from '../view/form'
import { type Html, shown, when } from '../view/html'
import { table } from '../view/table'
import { count, counted, moment, utc } from '../view/words'
import type { Visit } from '../visit'
import { threeParts } from './problem'

/** What a comparison with a warehouse found, why, and what can be done about it. */
export function comparison(visit: Visit, { from, to, sources }: ReconcileReport): Html {
  return html`${sources.map((source) => sourceSection(visit, source, from, to))}`
}

function sourceSection(visit: Visit, source: SourceComparison, from: Date, to: Date): Html {
  const { error, days, gaps, resolved, loadedThrough } = source
  const address = visit.link(`/sources/${source.sourceId}/warehouse`)
  const were = resolved === 1 ? 'was found, and so is' : 'were found, and so are'
  const newest = loadedThrough
    ? html`whose newest row is of ${moment(loadedThrough, visit.now)}`
    : 'which has no row yet'
  const read = html`<p><a href="${address}">${shown(source.portalId)}</a>: delivered from ${utc(from)} to ${utc(to)}, compared with schema <code>${shown(source.schema)}</code>, ${newest}.${when(
    resolved > 0,
    () => html` ${counted(resolved, 'uncertain message')} ${were} delivered.`,
  )}</p>
    ${tiles(source)}
    ${gaps.map((gap) => gapSection(visit, gap))}
    ${daysTables(source)}
    ${visit.operator.mayChange ? choiceForm(visit, source, from, to) : ''}`
  if (!error) return read
  return html`${threeParts(error)}${when(days.length > 0, () => html`<h2>Until then</h2>${read}`)}`
}

const columns: readonly { name: keyof Counts; label: string; note: string; isBad: boolean }[] = [
  { name: 'confirmed', label: 'Confirmed', note: 'found there', isBad: false },
  { name: 'missing', label: 'Missing', note: 'delivered, and not there', isBad: true },
  { name: 'awaited', label: 'Awaited', note: 'not expected there yet', isBad: false },
  { name: 'absent', label: 'Absent', note: 'uncertain, and not there', isBad: true },
  { name: 'unexpected', label: 'Unexpected', note: 'not sent from here', isBad: true },
  { name: 'duplicated', label: 'Duplicated', note: 'there more than once', isBad: true },
]

function tiles(source: SourceComparison): Html {
  return html`<dl class="tiles">${columns.map(
    ({ name, label, note, isBad }) =>
      html`<div><dt>${label}</dt><dd class="${isBad && source[name] > 0 ? 'bad-number' : ''}">${count(source[name])}<span class="note">${note}</span></dd></div>`,
  )}</dl>`
}

function gapSection({ link, now }: Visit, gap: Gap): Html {
  const { cause, type, event, messages, insideWindow, firstAt, lastAt, examples, explanation, remedy } = gap
  const late = cause !== 'not-loaded-yet'
  return html`<section class="say ${late ? 'bad' : ''}">
    <p class="why">${counted(messages, 'message')}${when(type, () => html` of ${shown(event ?? type)}`)}: ${causes[cause]}</p>
    <p>${shown(explanation)}</p>
    <p><strong>What to do:</strong> ${shown(remedy)}</p>
    <p class="quiet">Delivered from ${utc(firstAt)} (${moment(firstAt, now)}) to ${utc(lastAt)}.${when(late, () => html` ${count(insideWindow)} inside the dedup window.`)} Look at ${examples.map(
      (id, i) =>
        html`${i > 0 ? ', ' : ''}<a class="id" href="${link(`/messages/${id}`)}">${id.slice(0, 8)}…</a>`,
    )}</p>
  </section>`
}

const causes: Record<Gap['cause'], string> = {
  'key-or-region': 'the write key or the region',
  'plan-block': 'blocked by the tracking plan',
  'oversize-batch': 'in batches that were too long',
  'dropped-as-duplicate': 'dropped as duplicates',
  'not-loaded-yet': 'not loaded yet',
  unknown: 'no cause stands out',
}

function choiceForm(visit: Visit, source: SourceComparison, from: Date, to: Date): Html | '' {
  const possible = comparisonChoices.filter(({ reach }) => reach(source) > 0)
  return when(
    possible.length > 0,
    () =>
      html`${form(
        visit,
        `/sources/${source.sourceId}/warehouse/send-again`,
        html`<fieldset><legend>What shall become of what is missing?</legend>${possible.map(
          ({ name, title, reach, means }) => html`<label class="choice">
        <input type="radio" name="choice" value="${name}" required>
        <span><strong>${title}: ${counted(reach(source), 'message')}</strong>${means(source)}</span></label>`,
        )}</fieldset>
      <p>It compares once more, so that what arrived meanwhile is not sent.</p>
      ${reasonField()}
      <p class="buttons"><button>Do it</button></p>`,
        { fields: { from: from.toISOString(), to: to.toISOString() } },
      )}`,
  )
}

/** More rows than that are for the command line. */
const DAYS = 500

function daysTables({ days }: SourceComparison): Html | '' {
  const troubled = days.filter((day) => columns.some(({ name, isBad }) => isBad && day[name] > 0))
  return html`${when(troubled.length > 0, () => daysTable('Events and days with something wrong', troubled))}
    ${when(
      days.length > troubled.length,
      () =>
        html`<details><summary>All ${counted(days.length, 'event and day', 'events and days')}</summary>${daysTable('By day of delivery, in UTC', days)}</details>`,
    )}`
}

function daysTable(caption: string, all: readonly ComparedDay[]): Html {
  const shownDays = all.slice(-DAYS)
  return table<ComparedDay>(
    shownDays.length < all.length ? `${caption}; the last ${count(DAYS)} of ${count(all.length)}` : caption,
    [
      { label: 'Event', cell: ({ type, event }) => (event === null ? type : shown(event)) },
      { label: 'Day', cell: ({ day }) => day },
      ...columns.map(({ name, label }) => ({
        label,
        figures: true,
        cell: (day: ComparedDay) => (day[name] > 0 ? count(day[name]) : html`<span class="none">–</span>`),
      })),
    ],
    shownDays,
  )
}
