import { html } from 'hono/html'
import { isUuid } from '../../operate/inspect/check-input'
import { SOURCE_COUNT_LIMIT, type SourceState } from '../../operate/inspect/types'
import type { SOURCE_CHANGES } from '../actions/change-source'
import { badge } from '../view/badge'
import { form, reasonField } from '../view/form'
import { type Html, shown, when } from '../view/html'
import { warehouseWord } from '../view/warehouse-word'
import { count, duration, moment, upTo } from '../view/words'
import type { Page, Visit } from '../visit'
import { activityPlots } from './activity-plots'
import { notFoundPage } from './not-found'

type Change = (typeof SOURCE_CHANGES)[number]

export async function sourcePage(visit: Visit): Promise<Page> {
  const sourceId = visit.param('id')
  const source = isUuid(sourceId) ? (await visit.outbox.inspect.sources({ sourceId }))[0] : undefined
  if (!source) return notFoundPage(visit, 'There is no source with this id.')
  const { link, operator } = visit
  return {
    title: `Source of ${source.portalId}`,
    body: html`
    <h1>${shown(source.portalId)} ${badge(source.health)}</h1>
    <div class="say ${tones[source.health]}"><p class="why">${shown(source.summary)}</p>${when(source.remedy, () => html`<p>${shown(source.remedy)}</p>`)}</div>
    ${when(operator.mayChange, () => html`<div class="changes">${changes(source).map((change) => changeForm(visit, source, change))}</div>`)}
    ${facts(visit, source)}
    <p class="buttons"><a class="button second" href="${link('/messages', { sourceId })}">Its messages</a>
      <a class="button second" href="${link('/failures', { sourceId })}">Its dead and uncertain</a>
      <a class="button second" href="${link(`/sources/${sourceId}/warehouse`)}">Its warehouse</a>
      <a href="${link('/audit', { sourceId })}">What people did to it</a></p>
    <h2>The last 24 hours</h2>
    ${await activityPlots(visit, '24h', sourceId)}
`,
  }
}

const tones = { healthy: 'good', behind: 'warn', failing: 'bad', refused: 'bad', paused: '', disabled: '' }

const verifications = {
  known: 'Segment knows it',
  unknown: 'Segment does not know it: it answers 200 and drops every event',
  unverified: 'not verified: Segment could not be asked',
}

function facts({ link, now }: Visit, source: SourceState): Html {
  const counts = (n: number) => upTo(SOURCE_COUNT_LIMIT, n)
  return html`<dl class="facts">
    <dt>Status</dt><dd>${source.status}</dd>
    <dt>Backlog</dt><dd>${counts(source.pending)}${when(source.lagMs !== null, () => html`, the oldest for ${duration(source.lagMs as number)}`)}</dd>
    <dt>Dead, uncertain</dt><dd>${counts(source.dead)}, ${counts(source.uncertain)}</dd>
    <dt>Last delivered</dt><dd>${moment(source.lastDeliveredAt, now)}</dd>
    <dt>Last failure</dt><dd>${moment(source.lastFailedAt, now)}${when(source.lastError, () => html`: ${shown(source.lastError)}`)}</dd>
    <dt>Back-off</dt><dd>${source.resumeAt && source.resumeAt > now ? html`next attempt ${moment(source.resumeAt, now)}, after ${count(source.failures)} failed in a row` : 'none'}</dd>
    <dt>Write key</dt><dd>ends in <code>${source.writeKeyLastFour}</code>; ${verifications[source.verification]}${when(source.verifiedAt, () => html` (asked ${moment(source.verifiedAt, now)})`)}</dd>
    <dt>Region</dt><dd>${source.region === 'eu' ? 'EU' : 'US'}</dd>
    <dt>Detailed events</dt><dd>${source.detailedEvents ? 'recorded too' : 'not recorded'}</dd>
    <dt>Warehouse</dt><dd><a href="${link(`/sources/${source.sourceId}/warehouse`)}">${source.warehouse ? warehouseWord(source.warehouse) : 'not known'}</a></dd>
    <dt>Lease</dt><dd>${source.leaseOwner ? html`${shown(source.leaseOwner)}, until ${moment(source.leaseExpiresAt, now)}` : 'nobody sends for it at this moment'}</dd>
    <dt>Source id</dt><dd class="id">${source.sourceId}</dd>
  </dl>`
}

const changeWords: Record<Change, { title: string; means: string; danger?: boolean }> = {
  retry: {
    title: 'Retry now',
    means: 'Ends its back-off: it is tried at once, as after a repaired network.',
  },
  pause: {
    title: 'Pause',
    means: 'Nothing is sent until it is resumed. Events are still recorded, and wait.',
  },
  resume: { title: 'Resume', means: 'What waits goes out, in its order, and events are recorded.' },
  disable: {
    title: 'Disable',
    means:
      'Nothing new is recorded for this portal: what happens meanwhile is missing from its warehouse for good. What waits is held.',
    danger: true,
  },
}

function changes({ status, resumeAt, failures }: SourceState): Change[] {
  if (status !== 'enabled') return status === 'paused' ? ['resume', 'disable'] : ['resume']
  return [...(failures > 0 || resumeAt ? (['retry'] as const) : []), 'pause', 'disable']
}

/** Opened and confirmed with a reason: nothing changes at one press of a button. */
function changeForm(visit: Visit, { sourceId }: SourceState, change: Change): Html {
  const { title, means, danger } = changeWords[change]
  return html`<details${when(danger, () => html` class="dangerous"`)}><summary>${title} …</summary>
    <p>${means}</p>
    ${form(visit, `/sources/${sourceId}/${change}`, html`${reasonField()}<button class="${danger ? 'danger' : ''}">${title}</button>`)}
  </details>`
}
