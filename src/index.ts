export * from '../entities'
export { outboxMigrations } from '../migrations'
export type { DispatchReport } from './dispatch/dispatcher'
export * from './errors'
export type { Logger, OutboxEvents } from './events'
export type { DiscardReport } from './operate/discard'
export type { PruneReport } from './operate/prune'
export type { RedriveOptions, RedriveReport } from './operate/redrive'
export type { Responsibility, Selection } from './operate/selection'
export type { OutboxOptions } from './options'
export { createOutbox, type Outbox } from './outbox'
export { outboxIn } from './outbox-in'
export {
  type CallSchemas,
  dateTime,
  definePlan,
  type EventDefinition,
  type EventName,
  type EventProperties,
  type GroupTraits,
  type IdentifyTraits,
  type NaturalKey,
  type PageProperties,
  type Plan,
} from './plan/define-plan'
export { messageId } from './plan/message-id'
export { synapPlan } from './plan/synap-plan'
export type {
  AnyCall,
  GroupCall,
  IdentifyCall,
  Identity,
  PageCall,
  Recorded,
  TrackCall,
} from './record/calls'
export type { ConnectOptions, Source } from './sources/sources'
