import { html } from 'hono/html'
import type { MessageStatus } from '../../../entities'
import type { MessageAction, MessageDetail, TimelineEntry } from '../../operate/inspect/types'
import { badge } from '../view/badge'
import { type Html, shown, visible, when } from '../view/html'
import { bytes, clock, counted, duration, moment, utc } from '../view/words'
import type { Page, Visit } from '../visit'
import { notFoundPage } from './not-found'

const actionWords: Record<MessageAction, string> = {
  'send-again': 'Send again',
  'mark-delivered': 'Mark delivered',
  discard: 'Discard',
}

export async function messagePage(visit: Visit): Promise<Page> {
  const message = await visit.outbox.inspect.message(visit.param('id'))
  if (!message) {
    return notFoundPage(
      visit,
      'There is no message with this id. It was never recorded, or its transaction rolled back, or it was pruned after its retention time.',
    )
  }
  const name = message.event ?? message.type
  return {
    title: name,
    body: html`
    <div class="bar-of"><h1>${shown(name)} ${badge(message.status)}</h1></div>
    ${explanation(visit, message)}
    <div class="columns">
      <div>
        <section aria-labelledby="timeline"><h2 id="timeline">What happened</h2>${timeline(visit, message)}</section>
        <section aria-labelledby="payload"><h2 id="payload">Payload</h2>${payload(message)}</section>
      </div>
      <section aria-labelledby="facts"><h2 id="facts">What it is</h2>${facts(visit, message)}${batch(visit, message)}</section>
    </div>`,
  }
}

function explanation({ operator, link }: Visit, { messageId, explanation, status }: MessageDetail): Html {
  const { why, next, actions } = explanation
  const tone = { delivered: 'good', dead: 'bad', uncertain: 'warn', pending: '', discarded: '' }[status]
  return html`<section class="say ${tone}" aria-label="Why it is in this state, and what to do">
    <p class="why">${shown(why)}</p>
    <p>${shown(next)}</p>
    ${when(
      operator.mayChange && actions.length > 0,
      () =>
        html`<p class="buttons">${actions.map(
          (action) =>
            html`<a class="button ${action === 'discard' ? 'danger' : 'second'}" href="${link('/review', { messageIds: messageId, choice: action })}">${actionWords[action]} …</a>`,
        )}</p>`,
    )}
  </section>`
}

function timeline({ now }: Visit, { timeline, status }: MessageDetail): Html {
  return html`<ol class="timeline">${timeline.map(
    (entry) => html`<li class="${toneOf(entry, status)}">
      <span class="when">${clock(entry.at, now)} UTC</span>
      ${shown(entry.text)}
      ${when(entry.attempt?.retryAfterMs, () => html`<br><span class="quiet">Segment asked to wait for ${duration(entry.attempt?.retryAfterMs ?? 0)} (Retry-After).</span>`)}
    </li>`,
  )}</ol>`
}

function payload({ body, wireBytes }: MessageDetail): Html {
  return html`<p class="quiet">The call exactly as it is sent, without its messageId: ${bytes(wireBytes)} on the wire.</p>
  <pre class="payload" tabindex="0" aria-labelledby="payload">${visible(JSON.stringify(body, undefined, 2))}</pre>`
}

function toneOf({ kind, attempt }: TimelineEntry, status: MessageStatus): string {
  if (kind === 'confirmed') return 'ok'
  if (kind === 'settled') return ends[status]
  if (kind !== 'attempt') return ''
  if (attempt?.verdict === 'accepted') return 'ok'
  return attempt?.verdict === 'ambiguous' || attempt?.ms === undefined ? 'doubt' : 'trouble'
}

const ends = { delivered: 'ok', dead: 'trouble', uncertain: 'doubt', pending: '', discarded: '' }

function facts({ link, now }: Visit, message: MessageDetail): Html {
  const { source } = message
  return html`<dl class="facts">
    <dt>Message id</dt><dd class="id">${message.messageId}</dd>
    <dt>Type</dt><dd>${message.type}</dd>
    <dt>Portal</dt><dd><a href="${link('/messages', { portalId: message.portalId })}">${shown(message.portalId)}</a></dd>
    <dt>Source</dt><dd>${source ? html`<a class="id" href="${link(`/sources/${message.sourceId}`)}">${message.sourceId}</a> ${badge(source.health)}` : html`<span class="id">${message.sourceId}</span> (it is not there any more)`}</dd>
    ${when(message.userId, () => html`<dt>User</dt><dd><a href="${link('/messages', { who: message.userId ?? '' })}">${shown(message.userId)}</a></dd>`)}
    ${when(message.anonymousId, () => html`<dt>Anonymous id</dt><dd><a href="${link('/messages', { who: message.anonymousId ?? '' })}">${shown(message.anonymousId)}</a></dd>`)}
    <dt>Occurred</dt><dd>${utc(message.occurredAt)}</dd>
    <dt>Recorded</dt><dd>${utc(message.recordedAt)} (${moment(message.recordedAt, now)})</dd>
    ${when(message.settledAt, () => html`<dt>Settled</dt><dd>${utc(message.settledAt as Date)}</dd>`)}
    ${when(message.reason, () => html`<dt>Reason</dt><dd>${shown(message.reason)}</dd>`)}
    <dt>Place in the queue</dt><dd class="id">${message.seq}</dd>
    ${when(message.schemaHash, () => html`<dt>Schema</dt><dd class="id">${shown(message.schemaHash)}</dd>`)}
    ${when(message.traceParent, () => html`<dt>Trace</dt><dd class="id">${shown(message.traceParent)}</dd>`)}
  </dl>`
}

function batch({ now }: Visit, { batch }: MessageDetail): Html {
  if (!batch) return html`<h2>Its batch</h2><p class="quiet">It is in none yet.</p>`
  return html`<h2>Its batch</h2><dl class="facts">
    <dt>Batch</dt><dd class="id">${batch.batchId}${when(batch.parentId, () => html` (half of ${batch.parentId})`)}</dd>
    <dt>Outcome</dt><dd>${batch.outcome ?? (batch.attemptStartedAt ? 'in flight' : 'open')}</dd>
    <dt>Messages</dt><dd>${counted(batch.messages, 'message')}, ${bytes(batch.wireBytes)}</dd>
    <dt>Attempts</dt><dd>${batch.attemptCount}</dd>
    <dt>Formed</dt><dd>${moment(batch.createdAt, now)}</dd>
    ${when(batch.confirmedAt, () => html`<dt>In the warehouse</dt><dd>found ${moment(batch.confirmedAt, now)}, all of it</dd>`)}
    ${when(batch.firstAmbiguousAt, () => html`<dt>Window since</dt><dd>${moment(batch.firstAmbiguousAt, now)}: Segment may have it from then on</dd>`)}
  </dl>`
}
