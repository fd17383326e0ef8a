/** The table or column that an event or a property has in a Segment warehouse. */
export { snakeCase as warehouseName } from '../plan/warehouse-names'
export { createTestOutbox, type TestOutbox, type TestOutboxOptions } from './create-test-outbox'
export { drained } from './drained'
export { failOnDiverted } from './fail-on-diverted'
export type { FaultHandle, FaultOptions } from './local-segment/fault-options'
export type { RequestFault, SegmentFault } from './local-segment/faults'
export type {
  ArrivedMessage,
  DiscardedMessage,
  DiscardReason,
  MessageFilter,
  SegmentMessage,
} from './local-segment/messages'
export type { ReceivedRequest } from './local-segment/requests'
export { startLocalSegment } from './local-segment/start-local-segment'
export type {
  LocalSegment,
  LocalSegmentOptions,
  LocalSegmentSummary,
  WaitCondition,
} from './local-segment/types'
export type { WarehouseClient } from './local-segment/warehouse/tables'
export type { WarehouseOptions } from './local-segment/warehouse/warehouse'
export { type RecordedCall, type RecordedFilter, recorded, recordedIn } from './recorded'
