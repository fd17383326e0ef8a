import type { MessageStatus } from '../../../entities'
import { FOUND } from '../../reconcile/delivered'
import type { BatchDetail, Explanation, SourceState } from './types'
import { duration, moment, plural } from './words'

/** All that an explanation is made of. */
export interface MessageFacts {
  readonly now: Date
  readonly status: MessageStatus
  readonly reason: string | null
  readonly settledAt: Date | null
  readonly erasedAt: Date | null
  /** The batch that settled it; null where none did. The batch itself may have been pruned. */
  readonly batchId: string | null
  /** That batch, or the open one that it is in. */
  readonly batch:
    | Pick<
        BatchDetail,
        'batchId' | 'attemptStartedAt' | 'firstAmbiguousAt' | 'confirmedAt' | 'attemptCount' | 'attempts'
      >
    | undefined
  readonly source:
    | Pick<
        SourceState,
        | 'status'
        | 'health'
        | 'verification'
        | 'writeKeyLastFour'
        | 'region'
        | 'failures'
        | 'resumeAt'
        | 'lastError'
        | 'leaseOwner'
        | 'leaseExpiresAt'
        | 'warehouse'
      >
    | undefined
  /** Pending messages of its source that go before it; exact up to SOURCE_COUNT_LIMIT. */
  readonly ahead: number
  /** Whether any dispatcher has ticked lately. */
  readonly dispatching: boolean
  readonly dedupWindowMs: number
}

/**
 * Why a message is in its state, and what to do next: one sentence each. Pure. It never quotes what was recorded; a
 * reason it quotes is Segment's answer, the plan's judgement, or an operator's words.
 */
export function explain(facts: MessageFacts): Explanation {
  if (facts.erasedAt !== null) return erased(facts, facts.erasedAt)
  switch (facts.status) {
    case 'pending':
      return pending(facts)
    case 'delivered':
      return delivered(facts)
    case 'dead':
      return dead(facts)
    case 'uncertain':
      return uncertain(facts)
    case 'discarded':
      return discarded(facts)
  }
}

const START = 'Start a process that calls `outbox.start()`, or run `synap-outbox drain`: it goes out then.'

function pending(facts: MessageFacts): Explanation {
  const { batch, source, now, dispatching } = facts
  const inDoubt = batch?.firstAmbiguousAt ?? null
  // What Segment may have is left to its end: discarding it would only hide the question.
  const actions = inDoubt === null ? (['discard'] as const) : []
  const say = (why: string, next: string): Explanation => ({ why, next, actions })
  const doubt = inDoubt === null ? '' : `, and Segment may have had it since ${moment(inDoubt)}`

  if (source === undefined) {
    return say(
      `Its source no longer exists${doubt}, so nobody can send it.`,
      'Discard it, or restore the source.',
    )
  }
  const leaseOver = source.leaseExpiresAt !== null && source.leaseExpiresAt <= now
  const out = batch?.attemptStartedAt ?? null
  if (out !== null && source.leaseOwner !== null && !leaseOver) {
    return say(
      `It is on its way to Segment since ${moment(out)}, sent by ${source.leaseOwner}.`,
      'Nothing: look again in a few seconds.',
    )
  }
  if (source.status === 'paused') {
    return say(
      `Its source is paused${doubt}, so it is held.`,
      doubt ? within(facts, inDoubt, 'Resume the source') : 'Resume the source when it should be sent.',
    )
  }
  if (source.status === 'disabled') {
    return say(
      `Its source is disabled${doubt}, so it is held.`,
      doubt ? within(facts, inDoubt, 'Resume the source') : 'Resume the source, or discard what waits.',
    )
  }
  if (source.health === 'refused' && source.failures > 0) {
    return say(
      `Nothing can be sent with its source’s write key (${source.lastError ?? 'unknown'})${doubt}.`,
      source.lastError?.includes('secret key "')
        ? 'Put the missing secret key back into OUTBOX_SECRET_KEYS, or save the write key again.'
        : `Save a valid write key in place of the one ending in ${source.writeKeyLastFour}: it goes out at once then.`,
    )
  }
  if (source.failures > 0) {
    const until = source.resumeAt ? `rests until ${moment(source.resumeAt)}` : 'is about to try again'
    return say(
      `Its source ${until} after ${plural(source.failures, 'failed attempt')}${doubt}: ${source.lastError ?? 'unknown'}.`,
      dispatching
        ? `Nothing: it is tried again by itself${window(facts, inDoubt)}. Retry now if the cause is mended.`
        : START,
    )
  }
  if (source.leaseOwner !== null && leaseOver) {
    return say(
      `The dispatcher ${source.leaseOwner}, which held its source, has not been heard of since its lease ended at ${moment(source.leaseExpiresAt)}${doubt}.`,
      dispatching ? `Nothing: another dispatcher takes over within seconds${window(facts, inDoubt)}.` : START,
    )
  }
  if (!dispatching) return say(`No dispatcher is running${doubt}, so nobody sends it.`, START)
  if (inDoubt !== null) {
    return say(
      `An attempt at ${moment(inDoubt)} ended without an answer, so Segment may have it.`,
      `Nothing: it is sent again under the same id${window(facts, inDoubt)}.`,
    )
  }
  return say(
    facts.ahead === 0
      ? 'It waits for its source’s turn, and is the next to go.'
      : `It waits for its turn behind ${plural(facts.ahead, 'message')} of its source.`,
    'Nothing: turns come within seconds. If it is still here in a minute, look at its source.',
  )
}

function delivered(facts: MessageFacts): Explanation {
  const { batch, reason, settledAt, source } = facts
  const found = batch?.confirmedAt
    ? `, and it was found in the portal’s warehouse at ${moment(batch.confirmedAt)}`
    : ''
  const next = found ? ARRIVED : afterDelivery(source)
  const say = (why: string): Explanation => ({ why: `${why}${found}.`, next, actions: [] })
  const at = settledAt === null ? '' : ` at ${moment(settledAt)}`
  if (reason === FOUND) {
    return {
      why: 'Nobody knew whether Segment had it, until it was found in the portal’s warehouse.',
      next: ARRIVED,
      actions: [],
    }
  }
  if (reason !== null) {
    return {
      why: `A person said so: ${reason}.`,
      next: 'Nothing. Its messageId in the portal’s warehouse (column id) would prove it.',
      actions: [],
    }
  }
  if (batch === undefined) return say(`Segment accepted it${at}. The history of that batch has been pruned`)
  const accepted = batch.attempts.findLast((attempt) => attempt.verdict === 'accepted')
  const took = accepted?.ms === undefined ? '' : ` in ${Math.round(accepted.ms)} ms`
  const attempt = batch.attemptCount > 1 ? `attempt ${batch.attemptCount}` : 'the first attempt'
  return say(`Segment accepted it${at}, with ${attempt} of batch ${batch.batchId}${took}`)
}

const ARRIVED = 'Nothing: it is where it was to go.'

function afterDelivery(source: MessageFacts['source']): string {
  const lostSince = source?.warehouse?.canaryLostSince
  if (lostSince) {
    return `Look at its source: what Segment accepted at ${moment(lostSince)} did not reach the warehouse, and this may not have either. Comparing with the warehouse tells.`
  }
  if (source?.verification === 'unknown') {
    return `Check the key: Segment did not know the one ending in ${source.writeKeyLastFour}, and it answers 200 to unknown keys and to the wrong region, and drops the events.`
  }
  if (source?.verification === 'unverified') {
    return `Nothing, if it is in Segment. Whether the key ending in ${source.writeKeyLastFour} is right for region ${source.region} could not be verified, and Segment answers 200 either way.`
  }
  return 'Nothing. Segment has queued it: if it is missing there, search its debugger and the warehouse for the messageId.'
}

function dead({ batchId, batch, reason }: MessageFacts): Explanation {
  const said = reason ?? 'no reason was kept'
  if (batchId === null) {
    return {
      why: `It could never be sent, and was set aside when it was recorded: ${said}.`,
      next: 'Correct the code that records it and record the fact again, which is a new message; then discard this one.',
      actions: ['discard'],
    }
  }
  if (batch !== undefined && batch.firstAmbiguousAt === null) {
    return {
      why: `${said}.`,
      next: 'Read Segment’s answer. Send it again if the cause lay between here and Segment; discard it if it lies in the call.',
      actions: ['send-again', 'discard'],
    }
  }
  const since = batch?.firstAmbiguousAt
  return {
    why: since
      ? `${said}; but an attempt at ${moment(since)} ended without an answer, so Segment may have it from then.`
      : `${said}; whether an earlier attempt was accepted is not known any more, since the history was pruned.`,
    next: CHOOSE,
    actions: ['send-again', 'mark-delivered', 'discard'],
  }
}

const CHOOSE =
  'Look for its messageId in the portal’s warehouse (column id): mark it delivered if it is there, send it again if it is not (a copy that is late would then be doubled), or discard it.'

function uncertain({ batch, dedupWindowMs }: MessageFacts): Explanation {
  const since = batch?.firstAmbiguousAt
  const from = since ? `since ${moment(since)}` : 'since an attempt without an answer'
  return {
    why: `Segment may have it ${from}, and after ${duration(dedupWindowMs)} it may have forgotten the id: sending it again could double it.`,
    next: CHOOSE,
    actions: ['send-again', 'mark-delivered', 'discard'],
  }
}

function discarded({ reason }: MessageFacts): Explanation {
  return {
    why: `It was given up: ${reason ?? 'no reason was kept'}.`,
    next: 'Nothing: a discarded message is never sent. Record the fact again under another natural key if it is needed.',
    actions: [],
  }
}

function erased({ status, reason }: MessageFacts, at: Date): Explanation {
  if (status === 'delivered') {
    return {
      why: `Segment accepted it, and its user’s data was erased here at ${moment(at)}.`,
      next: 'Nothing here. To remove it from Segment and its destinations as well, ask Segment to delete the user.',
      actions: [],
    }
  }
  return {
    why: `Its user’s data was erased at ${moment(at)}: ${reason ?? 'no reason was kept'}.`,
    next: 'Nothing: only its id and its state are left, and it is never sent.',
    actions: [],
  }
}

/** When the window of what may be sent again closes. */
function window({ dedupWindowMs }: MessageFacts, since: Date | null): string {
  return since === null ? '' : `, at the latest ${moment(new Date(since.getTime() + dedupWindowMs))}`
}

function within(facts: MessageFacts, since: Date | null, what: string): string {
  return `${what}${window(facts, since)}; later, it becomes uncertain instead of being sent.`
}
