import { html } from 'hono/html'
import type { MessageFilter, MessageRow } from '../../operate/inspect/types'
import { oneOf, readTime, STATUSES, TYPES } from '../actions/selection-query'
import { badge } from '../view/badge'
import { type Html, shown, when } from '../view/html'
import { table } from '../view/table'
import { clock, counted } from '../view/words'
import type { GoTo, Page, Visit } from '../visit'

const PER_PAGE = 50

/** What can be filtered by, apart from an id, which goes straight to its message. */
const FIELDS = [
  'portalId',
  'sourceId',
  'who',
  'event',
  'type',
  'status',
  'recordedFrom',
  'recordedTo',
] as const

export async function messagesPage(visit: Visit): Promise<Page | GoTo> {
  const { outbox, query, link } = visit
  const messageId = query.messageId?.trim()
  if (messageId) return { goTo: link(`/messages/${encodeURIComponent(messageId)}`) }
  const { messages, next, partial } = await outbox.inspect.messages(readFilter(query), {
    after: query.after,
    limit: PER_PAGE,
  })
  const given = Object.fromEntries(FIELDS.map((name) => [name, query[name]]))
  const isFiltered = FIELDS.some((name) => given[name])
  return {
    title: 'Messages',
    body: html`
    <h1>Messages</h1>
    ${filterForm(visit)}
    ${
      messages.length > 0
        ? messagesTable(visit, messages)
        : html`<p class="say">${nothing(isFiltered, partial, Boolean(query.after))}</p>`
    }
    <div class="buttons">
      ${when(next, () => html`<a class="button second" rel="next" href="${link('/messages', { ...given, after: next })}">${partial ? 'Look further back' : 'Older messages'}</a>`)}
      ${when(query.after, () => html`<a class="button second" href="${link('/messages', given)}">Newest again</a>`)}
      ${when(isFiltered && visit.operator.mayChange, () => html`<a href="${link('/review', reviewQuery(given))}">Send again, resolve or discard all that match</a>`)}
    </div>
    ${when(partial && messages.length > 0, () => html`<p class="quiet">One look reads a bounded number of rows, and this one ended there: there may be more further back.</p>`)}`,
  }
}

function readFilter(query: Visit['query']): MessageFilter {
  const { portalId, sourceId, who, event, type, status } = query
  return {
    portalId: portalId || undefined,
    sourceId: sourceId || undefined,
    who: who || undefined,
    event: event || undefined,
    type: type ? oneOf('type', type, TYPES) : undefined,
    status: status ? oneOf('status', status, STATUSES) : undefined,
    recordedFrom: readTime(query.recordedFrom),
    recordedTo: readTime(query.recordedTo),
  }
}

/** A selection names a user ID or an anonymous ID; a filter takes either. */
function reviewQuery({ who, ...given }: Record<string, string | undefined>) {
  return { ...given, userId: who }
}

function nothing(isFiltered: boolean, partial: boolean, isLaterPage: boolean): string {
  if (partial)
    return 'Nothing so far matches. One look reads a bounded number of rows; there may be more further back.'
  if (isLaterPage) return 'There is nothing older.'
  if (isFiltered)
    return 'No message matches. Was it recorded, and is it not pruned yet? Delivered messages are kept for the retention time only.'
  return 'Nothing is recorded yet. A message appears here when the transaction that records it commits.'
}

function messagesTable({ link, now }: Visit, messages: readonly MessageRow[]): Html {
  return table(
    `${counted(messages.length, 'message')}, the newest first; times in UTC`,
    [
      {
        label: 'Message',
        cell: (row) =>
          html`<a href="${link(`/messages/${row.messageId}`)}">${row.event === null ? row.type : shown(row.event)}</a>`,
      },
      { label: 'Status', cell: (row) => badge(row.status) },
      { label: 'Recorded', cell: (row) => clock(row.recordedAt, now) },
      { label: 'Portal', cell: (row) => shown(row.portalId) },
      { label: 'User', cell: (row) => shown(row.who) },
      { label: 'Reason', cell: (row) => shown(row.reason) },
    ],
    messages,
  )
}

function filterForm({ query, link }: Visit): Html {
  const text = (name: string, label: string, more: Html | '' = '') =>
    html`<label><span>${label}</span><input name="${name}" value="${query[name] ?? ''}" autocomplete="off" spellcheck="false"${more}></label>`
  const select = (name: string, label: string, values: readonly string[]) => html`<label><span>${label}</span>
    <select name="${name}"><option value="">any</option>${values.map(
      (value) => html`<option${when(query[name] === value, () => html` selected`)}>${value}</option>`,
    )}</select></label>`
  const time = (name: string, label: string) => {
    const at = readTime(query[name])?.toISOString().slice(0, 19) ?? ''
    return html`<label><span>${label}</span><input type="datetime-local" step="1" name="${name}" value="${at}"></label>`
  }
  return html`<form class="filter" method="get" action="${link('/messages')}" role="search" aria-label="Messages">
    ${text('portalId', 'Portal')}
    ${text('who', 'User or anonymous ID')}
    ${text('event', 'Event')}
    ${select('status', 'Status', STATUSES)}
    ${select('type', 'Type', TYPES)}
    ${time('recordedFrom', 'Recorded from (UTC)')}
    ${time('recordedTo', 'Recorded before (UTC)')}
    ${text('messageId', 'Message id')}
    ${when(query.sourceId, () => html`<input type="hidden" name="sourceId" value="${query.sourceId}">`)}
    <div class="buttons"><button>Show</button><a href="${link('/messages')}">Clear</a></div>
  </form>`
}
