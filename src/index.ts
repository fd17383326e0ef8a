export * from '../entities'
export { outboxMigrations } from '../migrations'
export type { DispatchReport } from './dispatch/dispatcher'
export * from './errors'
export type { Logger, OutboxEvents } from './events'
export type { Progress } from './operate/audited-change'
export type {
  BackfillFact,
  BackfillOptions,
  BackfillPage,
  BackfillProgress,
  BackfillReport,
  Backfills,
  ReadFacts,
} from './operate/backfill/types'
export type { DiscardOptions, DiscardReport } from './operate/discard'
export type { EraseOptions, EraseReport, Person } from './operate/erase'
export type { Inspection } from './operate/inspect/inspection'
export * from './operate/inspect/types'
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
export { comparePlan, type PlanDifference } from './plan/export/compare-plan'
export { planJsonSchema } from './plan/export/json-schema'
export { planMarkdown } from './plan/export/markdown'
export type { SchemaChange } from './plan/export/schema-changes'
export { type SegmentRule, type SegmentTrackingPlan, segmentTrackingPlan } from './plan/export/segment'
export { messageId } from './plan/message-id'
export { synapPlan } from './plan/synap-plan'
export type { CanaryReport } from './reconcile/canary'
export type { ReconcileOptions } from './reconcile/reconcile'
export type {
  ComparedDay,
  Counts,
  Gap,
  GapCause,
  ReconcileReport,
  SourceComparison,
} from './reconcile/report'
export type { WarehouseTarget } from './reconcile/warehouse-target'
export type { ConnectWarehouseOptions, Warehouse } from './reconcile/warehouses'
export type {
  AnyCall,
  GroupCall,
  IdentifyCall,
  Identity,
  PageCall,
  Recorded,
  TrackCall,
} from './record/calls'
export type { RotationReport } from './sources/rotate-secrets'
export type { ConnectOptions, Source } from './sources/sources'
