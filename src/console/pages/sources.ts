import { html } from 'hono/html'
import type { SourceHealth } from '../../operate/inspect/types'
import { oneOf } from '../actions/selection-query'
import { when } from '../view/html'
import { counted } from '../view/words'
import type { Page, Visit } from '../visit'
import { sourcesTable } from './sources-table'

const HEALTHS: readonly SourceHealth[] = ['healthy', 'behind', 'failing', 'refused', 'paused', 'disabled']
const LIMIT = 200

export async function sourcesPage(visit: Visit): Promise<Page> {
  const { outbox, query, link } = visit
  const portalId = query.portalId || undefined
  const health = query.health ? oneOf('health', query.health, HEALTHS) : undefined
  const sources = await outbox.inspect.sources({ portalId, health, limit: LIMIT })
  return {
    title: 'Sources',
    body: html`
    <h1>Sources</h1>
    <p>A source is a portal’s connection to its Segment workspace.</p>
    <form class="filter" method="get" action="${link('/sources')}" role="search" aria-label="Sources">
      <label><span>Portal</span><input name="portalId" value="${portalId ?? ''}" autocomplete="off" spellcheck="false"></label>
      <label><span>Health</span><select name="health"><option value="">any</option>${HEALTHS.map(
        (value) => html`<option${when(value === health, () => html` selected`)}>${value}</option>`,
      )}</select></label>
      <div class="buttons"><button>Show</button><a href="${link('/sources')}">Clear</a></div>
    </form>
    ${
      sources.length > 0
        ? sourcesTable(
            visit,
            sources,
            `${counted(sources.length, 'source')}${sources.length === LIMIT ? ' at most' : ''}, the most troubled first`,
          )
        : html`<p class="say">${portalId || health ? 'No source matches.' : 'No portal is connected to Segment yet. Until one is, nothing is recorded.'}</p>`
    }`,
  }
}
