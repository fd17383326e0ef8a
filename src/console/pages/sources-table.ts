import { html } from 'hono/html'
import { SOURCE_COUNT_LIMIT, type SourceState } from '../../operate/inspect/types'
import { badge } from '../view/badge'
import { type Html, shown, when } from '../view/html'
import { table } from '../view/table'
import { warehouseWord } from '../view/warehouse-word'
import { duration, moment, upTo } from '../view/words'
import type { Visit } from '../visit'

export function sourcesTable({ link, now }: Visit, sources: readonly SourceState[], caption: string): Html {
  return table(
    caption,
    [
      {
        label: 'Portal',
        cell: ({ sourceId, portalId }) =>
          html`<a href="${link(`/sources/${sourceId}`)}">${shown(portalId)}</a>`,
      },
      { label: 'Health', cell: ({ health }) => badge(health) },
      {
        label: 'How it does',
        cell: ({ summary, remedy }) =>
          html`${shown(summary)}${when(remedy, () => html`<br><span class="quiet">${shown(remedy)}</span>`)}`,
      },
      { label: 'Backlog', figures: true, cell: ({ pending }) => upTo(SOURCE_COUNT_LIMIT, pending) },
      { label: 'Lag', figures: true, cell: ({ lagMs }) => (lagMs === null ? '–' : duration(lagMs)) },
      { label: 'Dead', figures: true, cell: ({ dead }) => upTo(SOURCE_COUNT_LIMIT, dead) },
      { label: 'Uncertain', figures: true, cell: ({ uncertain }) => upTo(SOURCE_COUNT_LIMIT, uncertain) },
      {
        label: 'Warehouse',
        cell: ({ sourceId, warehouse }) =>
          warehouse
            ? html`<a href="${link(`/sources/${sourceId}/warehouse`)}">${warehouseWord(warehouse)}</a>`
            : html`<span class="none">–</span>`,
      },
      { label: 'Last delivered', cell: ({ lastDeliveredAt }) => moment(lastDeliveredAt, now) },
    ],
    sources,
  )
}
