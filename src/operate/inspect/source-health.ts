import type { SourceState, SourceWarehouse } from './types'
import { duration, moment, plural } from './words'

/** What is known of a source, and whether any dispatcher is alive. */
export type SourceFacts = Omit<SourceState, 'summary' | 'remedy'> & { readonly dispatching: boolean }

/** How a source does, and what to do about it, in plain words. Pure. */
export function diagnose(source: SourceFacts): Pick<SourceState, 'summary' | 'remedy'> {
  const { health, pending, lagMs, lastError, resumeAt } = source
  const waiting =
    pending === 0 ? 'Nothing waits.' : `${plural(pending, 'message')} wait${pending === 1 ? 's' : ''}.`
  if (health === 'disabled') {
    const remedy = pending > 0 ? 'Enable it again, or discard what waits.' : null
    return { summary: `Disabled: nothing new is recorded for it. ${waiting}`, remedy }
  }
  if (health === 'paused') {
    const remedy = 'Resume it when it should send again.'
    return { summary: `Paused: events are recorded and held. ${waiting}`, remedy }
  }
  if (health === 'refused') return refused(source, waiting)
  if (health === 'failing') {
    const next = resumeAt ? `tries again at ${moment(resumeAt)}` : 'is about to try again'
    return {
      summary: `${plural(source.failures, 'attempt')} in a row failed (${lastError ?? 'unknown'}); it ${next}. ${waiting}`,
      remedy: 'It goes on by itself once Segment answers. Retry now if the cause is mended.',
    }
  }
  if (health === 'behind') {
    const late = `The oldest of ${plural(pending, 'message')} has waited for ${duration(lagMs ?? 0)}`
    return source.dispatching
      ? {
          summary: `${late}, without a failure.`,
          remedy: 'If it does not shrink: more dispatchers, or concurrency.',
        }
      : {
          summary: `${late}, and no dispatcher is running.`,
          remedy: 'Start a process that calls `outbox.start()`.',
        }
  }
  return healthy(source)
}

function healthy({
  pending,
  dead,
  uncertain,
  warehouse,
}: SourceFacts): Pick<SourceState, 'summary' | 'remedy'> {
  const sent = pending === 0 ? 'Everything is sent.' : `${plural(pending, 'message')} on the way.`
  const left = dead + uncertain
  const failed = left > 0 ? `${plural(left, 'message')} could not be delivered: look at the failures.` : null
  if (!warehouse?.missing) return { summary: sent, remedy: failed }
  const compare = 'Compare again: it tells the likely cause, and can send again what is missing.'
  return {
    summary: `${sent} ${missingWords(warehouse)}`,
    remedy: [failed, compare].filter(Boolean).join(' '),
  }
}

/** What the last comparison with the warehouse missed. */
export function missingWords({ missing, reconciledAt }: SourceWarehouse): string {
  const at = reconciledAt ? ` at ${moment(reconciledAt)}` : ''
  return `${plural(missing, 'delivered message')} ${missing === 1 ? 'was' : 'were'} not in the warehouse when they were compared${at}.`
}

/** Nothing but its canary tells that what is sent does not arrive. */
export function isCanaryAlone({
  health,
  failures,
  verification,
  warehouse,
}: Omit<SourceState, 'summary' | 'remedy'>): boolean {
  return (
    health === 'refused' &&
    failures === 0 &&
    verification !== 'unknown' &&
    Boolean(warehouse?.canaryLostSince)
  )
}

function refused(source: SourceFacts, waiting: string): Pick<SourceState, 'summary' | 'remedy'> {
  if (isCanaryAlone(source)) {
    return {
      summary: `The canary that Segment accepted at ${moment(source.warehouse?.canaryLostSince as Date)} did not reach the warehouse, so what was sent since probably did not either. ${waiting}`,
      remedy:
        'Check the write key and the region, then the warehouse’s Sync History in Segment: its loads may have stopped. When it is mended, compare with the warehouse and send again what is missing.',
    }
  }
  if (source.failures === 0) {
    return {
      summary: `Segment does not know the write key ending in ${source.writeKeyLastFour}: it answers 200 and drops every event.`,
      remedy: 'Save the right write key, and check the region.',
    }
  }
  const resting = source.resumeAt ? ` It tries again at ${moment(source.resumeAt)}.` : ''
  return {
    summary: `Nothing can be sent with its write key (${source.lastError ?? 'unknown'}).${resting} ${waiting}`,
    remedy: source.lastError?.includes('secret key "')
      ? 'Put the secret key back into OUTBOX_SECRET_KEYS, or save the write key again.'
      : 'Save a valid write key: what waits then goes out at once.',
  }
}
