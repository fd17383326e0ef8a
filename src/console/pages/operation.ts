import { html } from 'hono/html'
import { OutboxError } from '../../errors'
import type { ReconcileReport } from '../../reconcile/report'
import type { Operation } from '../actions/operations'
import { form } from '../view/form'
import { type Html, shown, when } from '../view/html'
import { count, counted, duration, moment } from '../view/words'
import type { Page, Visit } from '../visit'
import { comparison } from './comparison'
import { notFoundPage } from './not-found'
import { threeParts } from './problem'

/** How far an operation is. It goes on by itself: the page may be closed, and looked at again. */
export function operationPage(visit: Visit): Page {
  const { operations, param, now, link } = visit
  const operation = operations.find(param('id'))
  if (!operation) {
    return notFoundPage(
      visit,
      'This process knows of no such operation: another process of the application runs it, or this one has started since. What it did is in the audit trail.',
    )
  }
  return {
    title: operation.title,
    refreshSeconds: operation.state === 'running' ? 2 : undefined,
    body: html`
    <h1>${operation.title}</h1>
    ${outcome(visit, operation)}
    ${when(operation.report, () => comparison(visit, operation.report as ReconcileReport))}
    <dl class="facts">
      <dt>By</dt><dd>${shown(operation.actor)}</dd>
      ${when(operation.reason, () => html`<dt>Reason</dt><dd>${shown(operation.reason)}</dd>`)}
      <dt>Started</dt><dd>${moment(operation.startedAt, now)}</dd>
      ${when(operation.endedAt, () => html`<dt>Took</dt><dd>${duration((operation.endedAt as Date).getTime() - operation.startedAt.getTime())}</dd>`)}
    </dl>
    <p class="buttons"><a class="button second" href="${link('/audit')}">Audit trail</a>
      ${when(operation.sourceId, () => html`<a class="button second" href="${link(`/sources/${operation.sourceId}/warehouse`)}">The warehouse</a>`)} <a href="${link('/failures')}">Dead and uncertain</a> <a href="${link('/messages')}">Messages</a></p>`,
  }
}

function outcome(visit: Visit, operation: Operation): Html {
  const { id, state, done, total, reason, result, error, report } = operation
  const audited = reason !== undefined
  switch (state) {
    case 'running':
      return html`<div class="say" role="status"><p class="why">${farther(operation)}</p>
      <p>${
        total === undefined
          ? html`<progress aria-label="Progress"></progress>`
          : html`<progress max="${Math.max(total, 1)}" value="${Math.min(done, total)}" aria-label="Progress"></progress>`
      }</p>
      <p>It goes on by itself, also when this page is closed. The page loads itself again every 2 seconds.</p>
      ${when(visit.operator.mayChange, () => form(visit, `/operations/${id}/cancel`, html`<button class="danger">Cancel what is left</button>`, { look: 'inline' }))}</div>`
    case 'done':
      return html`<div class="say ${report && !report.agrees ? 'bad' : 'good'}" role="status"><p class="why">Done: ${result}</p>${when(audited, () => html`<p>It is in the audit trail.</p>`)}</div>`
    case 'cancelled':
      return html`<div class="say warn" role="status"><p class="why">Cancelled: ${result}</p><p>${audited ? 'What was changed before stays changed, and is in the audit trail.' : 'What it had confirmed is kept: another one goes on from there.'}</p></div>`
    case 'failed':
      return html`${error instanceof OutboxError ? threeParts(error) : html`<div class="say bad" role="status"><p class="why">It failed.</p><p>The error was handed to the application (<code>onError</code> of <code>createConsole</code>).</p></div>`}
      <p>${farther(operation)} before it stopped${when(audited, () => html`; what was changed is in the audit trail`)}.</p>`
  }
}

function farther({ done, total }: Operation): string {
  return total === undefined
    ? `${counted(done, 'message')} compared`
    : `${count(done)} of ${counted(total, 'message')}`
}
