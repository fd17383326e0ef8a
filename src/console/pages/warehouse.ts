import { html } from 'hono/html'
import { isUuid } from '../../operate/inspect/check-input'
import { missingWords } from '../../operate/inspect/source-health'
import type { SourceState, SourceWarehouse } from '../../operate/inspect/types'
import type { Operation } from '../actions/operations'
import { form } from '../view/form'
import { type Html, shown, when } from '../view/html'
import { table } from '../view/table'
import { count, moment } from '../view/words'
import type { Page, Visit } from '../visit'
import { notFoundPage } from './not-found'

/** Did what Segment accepted arrive? What is known of one source's warehouse, and the form that compares with it. */
export async function warehousePage(visit: Visit): Promise<Page> {
  const sourceId = visit.param('id')
  const source = isUuid(sourceId) ? (await visit.outbox.inspect.sources({ sourceId }))[0] : undefined
  if (!source) return notFoundPage(visit, 'There is no source with this id.')
  const { link, operator, operations } = visit
  const { warehouse } = source
  const done = operations.ofSource(sourceId)
  return {
    title: `Warehouse of ${source.portalId}`,
    body: html`
    <h1>The warehouse of ${shown(source.portalId)}</h1>
    <p>Segment answers 200 when it has queued an event, not when it has kept it. Where an event’s life ends is the portal’s warehouse.</p>
    ${
      warehouse
        ? html`${state(visit, warehouse)}${facts(visit, warehouse)}
        ${when(operator.mayChange, () => compareForm(visit, source))}
        ${when(done.length > 0, () => operationsTable(visit, done))}`
        : unknown(source)
    }
    <p class="buttons"><a class="button second" href="${link(`/sources/${sourceId}`)}">The source</a></p>`,
  }
}

function unknown({ sourceId }: SourceState): Html {
  return html`<div class="say warn"><p class="why">No warehouse is known for this source.</p>
    <p>So nobody can tell whether what Segment accepted also arrived. Save where it is, with a role that may only read; the address holds a password, and so is taken from the environment:</p></div>
    <pre class="payload" tabindex="0" aria-label="Command that saves a warehouse">WAREHOUSE_URL=postgres://reader:…@host/database npx synap-outbox warehouses connect ${sourceId} --warehouse-schema …</pre>`
}

function state({ now }: Visit, warehouse: SourceWarehouse): Html {
  const { canaryLostSince, missing, reconciledAt } = warehouse
  if (canaryLostSince) {
    return html`<div class="say bad"><p class="why">The canary that Segment accepted ${moment(canaryLostSince, now)} did not arrive.</p>
      <p>What was sent since probably did not either. Check the write key and the region, then the warehouse’s Sync History in Segment: its loads may have stopped.</p></div>`
  }
  if (missing > 0) {
    return html`<div class="say bad"><p class="why">${missingWords(warehouse)}</p>
      <p>Compare again: it tells the likely cause, and can send again what is missing.</p></div>`
  }
  return reconciledAt
    ? html`<div class="say good"><p class="why">When it was last compared, nothing that should have been there was missing.</p></div>`
    : html`<div class="say"><p class="why">It was never compared.</p></div>`
}

function facts({ now }: Visit, warehouse: SourceWarehouse): Html {
  const { schema, lagHours, canaryMinutes, canaryLostSince, reconciledAt, missing } = warehouse
  return html`<dl class="facts">
    <dt>Address</dt><dd>known; stored encrypted, and never shown</dd>
    <dt>Schema</dt><dd><code>${shown(schema)}</code></dd>
    <dt>Lag allowance</dt><dd>${lagHours} h: what was delivered longer ago has to be there</dd>
    <dt>Last compared</dt><dd>${reconciledAt ? html`${moment(reconciledAt, now)}, ${count(missing)} missing` : 'never to the end'}</dd>
    <dt>Canary</dt><dd>${
      canaryMinutes === null
        ? 'none: on a quiet day, nothing tells that a write key is dead'
        : `every ${canaryMinutes} min; ${canaryLostSince ? 'the newest that should be there is not' : 'none is known to be lost'}`
    }</dd>
  </dl>`
}

function compareForm(visit: Visit, { sourceId }: SourceState): Html {
  const field = (name: string, label: string) =>
    html`<label class="field"><span>${label}</span><input type="datetime-local" name="${name}"></label>`
  return html`<h2>Compare</h2>
    <p>By messageId, in the background. It reads the warehouse, keeps what it finds here, and sends nothing.</p>
    ${form(
      visit,
      `/sources/${sourceId}/warehouse/compare`,
      html`${field('from', 'Delivered from, in UTC (if empty, 7 days before the end)')}
      ${field('to', 'Delivered before (if empty, now)')}
      <p class="buttons"><button>Compare</button></p>`,
    )}`
}

function operationsTable({ link, now }: Visit, operations: readonly Operation[]): Html {
  return html`<h2>Comparisons</h2>${table(
    'Those that this process knows of, the newest first',
    [
      {
        label: 'What',
        cell: ({ id, title }: Operation) => html`<a href="${link(`/operations/${id}`)}">${title}</a>`,
      },
      { label: 'Started', cell: ({ startedAt }) => moment(startedAt, now) },
      { label: 'By', cell: ({ actor }) => shown(actor) },
      { label: 'State', cell: ({ state }) => state },
      { label: 'Result', cell: ({ result }) => shown(result) },
    ],
    operations,
  )}`
}
