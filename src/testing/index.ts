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
