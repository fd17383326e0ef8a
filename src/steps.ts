import { channel } from 'node:diagnostics_channel'

/**
 * The steps on the way of a message, published on the diagnostics channel `synap-outbox:step` as they are reached, in
 * the same breath. For tracing, and for those who want to know what a crash at any of them does: the proof in
 * test/crash subscribes in a real process and kills it there. Costs nothing without a subscriber.
 */
export const STEPS = [
  'record:before', // in the business transaction, nothing written
  'record:after', // in the business transaction, row written
  'record:committed', // outermost commit done, dispatcher not yet woken
  'lease:before',
  'lease:after',
  'batch:before',
  'batch:after', // write-ahead row committed, nothing sent
  'send:before', // laid out by the client, request about to go out
  'send:after', // outcome seen, nothing settled
  'settle:before',
  'settle:after',
  'split:before',
  'split:after',
  'postpone:before',
  'postpone:after',
  'release:before',
  'release:after',
  'prune:before', // before each chunk
  'prune:after',
] as const

export type Step = (typeof STEPS)[number]

const steps = channel('synap-outbox:step')

/** The message's way has reached this step. Never throws (diagnostics_channel reports a throwing subscriber itself). */
export function reached(step: Step): void {
  if (steps.hasSubscribers) steps.publish({ step })
}
