import { html } from 'hono/html'
import type { FailureGroup } from '../../operate/inspect/types'
import { selectionQuery } from '../actions/selection-query'
import { badge } from '../view/badge'
import { type Html, shown, when } from '../view/html'
import { table } from '../view/table'
import { count, counted, moment } from '../view/words'
import type { Page, Visit } from '../visit'

export async function failuresPage(visit: Visit): Promise<Page> {
  const { outbox, query, link } = visit
  const portalId = query.portalId || undefined
  const sourceId = query.sourceId || undefined
  const groups = await outbox.inspect.failures({ portalId, sourceId })
  const whole = portalId ?? sourceId
  return {
    title: 'Dead and uncertain',
    body: html`
    <h1>Dead and uncertain</h1>
    <p>A <strong>dead</strong> message was refused for good, or could never be sent. An <strong>uncertain</strong> one may be in Segment already, and was not confirmed within the time in which Segment drops a repeated id: a person has to decide.</p>
    <form class="filter" method="get" action="${link('/failures')}" role="search" aria-label="Dead and uncertain messages">
      <label><span>Portal</span><input name="portalId" value="${portalId ?? ''}" autocomplete="off" spellcheck="false"></label>
      ${when(sourceId, () => html`<input type="hidden" name="sourceId" value="${sourceId}">`)}
      <div class="buttons"><button>Show</button>${when(whole, () => html`<a href="${link('/failures')}">Clear</a>`)}</div>
    </form>
    ${groups.length > 0 ? groupsTable(visit, groups) : html`<p class="say good">${whole ? 'Nothing here is dead or uncertain.' : 'Nothing is dead or uncertain. Every message that was recorded is delivered, discarded, or on its way.'}</p>`}
    ${when(
      whole && groups.length > 0,
      () =>
        html`<p><a class="button second" href="${link('/review', selectionQuery({ portalId, sourceId, status: ['dead', 'uncertain'] }))}">All of these …</a></p>`,
    )}`,
  }
}

function groupsTable({ link, now, operator }: Visit, groups: readonly FailureGroup[]): Html {
  return table(
    `${counted(groups.length, 'cause')}, the most recent first`,
    [
      { label: 'Cause', cell: ({ reason }) => shown(reason) },
      { label: 'Status', cell: ({ status }) => badge(status) },
      {
        label: 'Messages',
        figures: true,
        cell: (group) => count(group.messages),
      },
      { label: 'Event', cell: ({ event, type }) => (event === null ? type : shown(event)) },
      {
        label: 'Portal',
        cell: ({ portalId }) => html`<a href="${link('/failures', { portalId })}">${shown(portalId)}</a>`,
      },
      { label: 'Last', cell: ({ lastAt }) => moment(lastAt, now) },
      {
        label: 'Look, and act',
        cell: (group) =>
          html`<a class="whole" href="${link(`/messages/${group.example}`)}">One of them</a>${when(
            operator.mayChange,
            () =>
              html` · <a class="whole" href="${link('/review', groupQuery(group))}">${group.messages === 1 ? 'This one' : `All ${count(group.messages)}`} …</a>`,
          )}`,
      },
    ],
    groups,
  )
}

/** The messages of a group, and no others. */
function groupQuery({ sourceId, status, type, event, reason }: FailureGroup) {
  return selectionQuery({ sourceId, status: [status], type, event: event ?? undefined, reason })
}
