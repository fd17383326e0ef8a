import type { Events } from '../events'
import type { Instruments } from './instruments'
import { SourceAttributes } from './source-attributes'

/** Counting is one subscriber of the events like any other: a metric says nothing that an event does not. */
export function countEvents(events: Events, instruments: () => Instruments): void {
  const sources = new SourceAttributes()
  events.on('recorded', (e) => instruments().recorded.add(e.messages, sources.of(e)))
  // Not by event: its name is the caller's, and unbounded. The event and the log say which.
  events.on('diverted', () => instruments().diverted.add(1))
  events.on('settled', (e) => instruments()[e.outcome].add(e.messages, sources.of(e)))
  events.on('operated', (e) => {
    if (e.action === 'discard') instruments().discarded.add(e.messages)
    if (e.action === 'send again') instruments().redriven.add(e.messages)
  })
  events.on('pruned', (e) => instruments().pruned.add(e.messages))
  events.on('attempt', (e) => {
    const { batchSize, requestDuration, retries } = instruments()
    const status = e.status === undefined ? {} : { 'http.response.status_code': e.status }
    const verdict = { 'synap_outbox.verdict': e.verdict, ...status }
    batchSize.record(e.messages)
    requestDuration.record(e.ms / 1000, verdict)
    if (e.attempt > 1) retries.add(1, sources.of(e))
  })
  events.on('leaseLost', (e) => instruments().leaseLosses.add(1, sources.of(e)))
  events.on('canaryLost', () => instruments().canariesLost.add(1))
  events.on('error', (e) => instruments().errors.add(1, { 'synap_outbox.during': e.during }))
}
