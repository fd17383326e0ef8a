import { html } from 'hono/html'
import type { AuditEntry } from '../../operate/inspect/types'
import { type Html, shown, when } from '../view/html'
import { selectionList } from '../view/selection-list'
import { table } from '../view/table'
import { clock, count } from '../view/words'
import type { Page, Visit } from '../visit'

const PER_PAGE = 50

export async function auditPage(visit: Visit): Promise<Page> {
  const { outbox, query, link } = visit
  const sourceId = query.sourceId || undefined
  const entries = await outbox.inspect.audit({ before: query.before || undefined, limit: PER_PAGE, sourceId })
  return {
    title: 'Audit trail',
    body: html`
    <h1>Audit trail</h1>
    <p>What people did, here and with the command line. An operation on many messages has an entry for each part of it.</p>
    ${entries.length > 0 ? entriesTable(visit, entries) : html`<p class="say">Nobody has changed anything${query.before ? ' before that' : ' yet'}.</p>`}
    ${when(entries.length === PER_PAGE, () => html`<p><a class="button second" rel="next" href="${link('/audit', { sourceId, before: entries.at(-1)?.auditId })}">Older entries</a></p>`)}`,
  }
}

function entriesTable({ now, link }: Visit, entries: readonly AuditEntry[]): Html {
  return table(
    'The newest first; times in UTC',
    [
      { label: 'When', cell: ({ at }) => clock(at, now) },
      { label: 'Who', cell: ({ actor }) => shown(actor) },
      { label: 'What', cell: ({ action }) => shown(action) },
      { label: 'Messages', figures: true, cell: ({ messages }) => count(messages) },
      { label: 'Reason', cell: ({ reason }) => shown(reason) },
      {
        label: 'Of what',
        cell: ({ sourceId, selection }) =>
          sourceId
            ? html`<a href="${link(`/sources/${sourceId}`)}">Source <span class="id">${sourceId.slice(0, 8)}…</span></a>`
            : selectionList(selection),
      },
    ],
    entries,
  )
}
