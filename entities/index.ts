import { OutboxAudit } from './outbox-audit.entity'
import { OutboxBackfill } from './outbox-backfill.entity'
import { OutboxBatch } from './outbox-batch.entity'
import { OutboxDispatcher } from './outbox-dispatcher.entity'
import { OutboxMessage } from './outbox-message.entity'
import { OutboxSample } from './outbox-sample.entity'
import { SegmentSource } from './segment-source.entity'
import { SegmentWarehouse } from './segment-warehouse.entity'
import { SourceDelivery } from './source-delivery.entity'

export * from './outbox-audit.entity'
export * from './outbox-backfill.entity'
export * from './outbox-batch.entity'
export * from './outbox-dispatcher.entity'
export * from './outbox-message.entity'
export * from './outbox-sample.entity'
export * from './segment-source.entity'
export * from './segment-warehouse.entity'
export * from './source-delivery.entity'

/** For `entities` of any TypeORM DataSource. */
export const outboxEntities = [
  OutboxMessage,
  OutboxBatch,
  OutboxAudit,
  OutboxBackfill,
  OutboxDispatcher,
  OutboxSample,
  SegmentSource,
  SegmentWarehouse,
  SourceDelivery,
]
