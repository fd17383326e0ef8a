import { OutboxBatch } from './outbox-batch.entity'
import { OutboxMessage } from './outbox-message.entity'
import { SegmentSource } from './segment-source.entity'
import { SourceDelivery } from './source-delivery.entity'

export * from './outbox-batch.entity'
export * from './outbox-message.entity'
export * from './segment-source.entity'
export * from './source-delivery.entity'

/** For `entities` of any TypeORM DataSource. */
export const outboxEntities = [OutboxMessage, OutboxBatch, SegmentSource, SourceDelivery]
