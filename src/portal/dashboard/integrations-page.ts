import { html } from 'hono/html'
import type { Source, SourceState } from 'synap-outbox'
import type { Integration } from '../services/read-integration'
import { deliveryStatus, events, waiting } from './delivery-status'
import type { NoticeText } from './flash'
import type { Visitor } from './guards'
import { connectionForm, type Refused, refusals, seenField } from './integrations-form'
import { errorSummary, type Html, INTEGRATIONS, layout, noticeBox, tokenField } from './layout'
import { moment } from './moment'

export interface PageState {
  readonly integration: Integration
  readonly notice?: NoticeText
  readonly refused?: Refused
  /** The present moment by this host's clock, like the outbox's times. */
  readonly now: Date
}

export function integrationsPage(visitor: Visitor, { integration, notice, refused, now }: PageState): Html {
  const { source, state, earlier } = integration
  const main = html`<p class="crumb">Settings</p>
<h1>Integrations</h1>
${notice && noticeBox(notice)}
${refused && errorSummary('Nothing was saved yet', refusals[refused.refusal])}
<p class="lead">Segment: what happens in your portal, sent to your own workspace.</p>
${statusCard(state, now)}
${connectionForm(visitor, integration, { refused, now })}
${source && actions(visitor, source)}
${source ? heldCard(earlier) : earlier.length > 0 && earlierCard(visitor, earlier, now)}`
  return layout(refused ? 'Error: Integrations' : 'Integrations', visitor, main)
}

function statusCard(state: SourceState | undefined, now: Date): Html {
  const { tone, badge, headline, advice } = deliveryStatus(state, now)
  return html`<section class="card ${tone}" aria-labelledby="status-title">
<h2 id="status-title">Status <span class="badge">${badge}</span></h2>
<p class="headline">${headline}</p>
${advice !== undefined && html`<p class="advice">${advice}</p>`}
${state && figures(state, now)}
</section>`
}

function figures(state: SourceState, now: Date): Html {
  const { lastDeliveredAt, lastFailedAt, pending, failures, dead, uncertain, lastError } = state
  return html`<dl>
<div><dt>Last delivered</dt><dd>${lastDeliveredAt ? moment(lastDeliveredAt, now) : 'never yet'}</dd></div>
<div><dt>Waiting</dt><dd>${pending === 0 ? 'nothing' : events(pending)}</dd></div>
<div><dt>Last problem</dt><dd>${lastFailedAt ? html`${moment(lastFailedAt, now)}${failures === 0 ? ', solved since' : ''}` : 'none'}</dd></div>
</dl>
${dead + uncertain > 0 && html`<p>${events(dead + uncertain)} could not be delivered. Synap support can tell you why, and send what can be sent.</p>`}
${failures > 0 && lastError !== null && html`<details><summary>For Synap support</summary><p class="technical">${lastError}</p></details>`}`
}

function actions(visitor: Visitor, source: Source): Html {
  const paused = source.status === 'paused'
  return html`<section class="card" aria-labelledby="actions-title">
<h2 id="actions-title">Pause or disconnect</h2>
<div class="action">
<p>${paused ? 'What is waiting is sent as soon as you resume.' : 'While it is paused, events are recorded and held; none is lost.'}</p>
${paused ? actionForm(visitor, source, 'resume', 'Resume') : actionForm(visitor, source, 'pause', 'Pause')}
</div>
<div class="action">
<p>Once it is disconnected, nothing more is recorded for Segment.</p>
<a class="button danger" href="${INTEGRATIONS}/disconnect">Disconnect…</a>
</div>
</section>`
}

function actionForm(visitor: Visitor, source: Source, action: string, label: string): Html {
  return html`<form method="post" action="${INTEGRATIONS}/${action}">${tokenField(visitor)}${seenField(source)}<button>${label}</button></form>`
}

function earlierCard(visitor: Visitor, earlier: readonly SourceState[], now: Date): Html {
  return html`<section class="card" aria-labelledby="earlier-title">
<h2 id="earlier-title">Connected before</h2>
<p class="hint">Connect one again to send what waits for it, and what happens from now on.</p>
${earlier.map(
  ({ sourceId, writeKeyLastFour, region, pending, lastDeliveredAt }) => html`<div class="action">
<p>Key that ends in <b>${writeKeyLastFour}</b> (${region.toUpperCase()}): ${waiting(pending)}, last delivered ${lastDeliveredAt ? moment(lastDeliveredAt, now) : 'never'}</p>
<form method="post" action="${INTEGRATIONS}/reconnect">${tokenField(visitor)}<input type="hidden" name="sourceId" value="${sourceId}"><button aria-label="Connect again, with the key that ends in ${writeKeyLastFour}">Connect again</button></form>
</div>`,
)}
</section>`
}

/** What waits for workspaces that the portal has moved away from. */
function heldCard(earlier: readonly SourceState[]): Html | undefined {
  const held = earlier.filter(({ pending }) => pending > 0)
  if (held.length === 0) return undefined
  return html`<section class="card" aria-labelledby="held-title">
<h2 id="held-title">Held for a workspace from before</h2>
${held.map(({ writeKeyLastFour, pending }) => html`<p>Key that ends in <b>${writeKeyLastFour}</b>: ${waiting(pending)}.</p>`)}
<p class="hint">To send it, disconnect, then connect that key again.</p>
</section>`
}

/** What disconnecting means, before it is done. */
export function disconnectPage(visitor: Visitor, source: Source, pending: number): Html {
  const held =
    pending === 0
      ? 'Nothing is waiting to be sent.'
      : `${waiting(pending)[0]?.toUpperCase()}${waiting(pending).slice(1)} to be sent. They are held here; “Connect again” sends them.`
  const main = html`<div class="narrow">
<p class="crumb"><a href="${INTEGRATIONS}">Integrations</a></p>
<h1>Disconnect from Segment?</h1>
<ul class="consequences">
<li>From now on nothing is recorded for Segment. What happens while it is disconnected is never sent, not even later.</li>
<li>${held}</li>
<li>What Segment has already stays there.</li>
</ul>
<p>To stop sending for a while only, go back and press Pause: then everything is recorded, and sent later.</p>
<form class="row" method="post" action="${INTEGRATIONS}/disconnect">${tokenField(visitor)}${seenField(source)}
<button class="danger">Disconnect</button>
<a class="button" href="${INTEGRATIONS}">Go back</a>
</form>
</div>`
  return layout('Disconnect', visitor, main)
}
