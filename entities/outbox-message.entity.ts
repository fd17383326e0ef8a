import { Column, Entity, PrimaryColumn } from 'typeorm'

export type MessageStatus = 'pending' | 'delivered' | 'dead' | 'uncertain' | 'discarded'
export type MessageType = 'identify' | 'track' | 'page' | 'group'

/**
 * One analytics call, written in the transaction of its business change. For reading: the module alone writes it.
 * `seq` and `batchId` are bigint columns, which PostgreSQL's driver gives as strings.
 */
@Entity('outbox_message', { synchronize: false })
export class OutboxMessage {
  @PrimaryColumn('uuid', { name: 'message_id' })
  messageId!: string

  @Column({ type: 'bigint', insert: false, update: false })
  seq!: string

  @Column('uuid', { name: 'source_id' })
  sourceId!: string

  @Column('bigint', { name: 'batch_id', nullable: true })
  batchId!: string | null

  @Column('timestamptz', { name: 'occurred_at' })
  occurredAt!: Date

  @Column('timestamptz', { name: 'recorded_at' })
  recordedAt!: Date

  @Column('timestamptz', { name: 'settled_at', nullable: true })
  settledAt!: Date | null

  @Column('timestamptz', { name: 'erased_at', nullable: true })
  erasedAt!: Date | null

  @Column('integer', { name: 'wire_bytes' })
  wireBytes!: number

  @Column('text')
  status!: MessageStatus

  @Column('text')
  type!: MessageType

  @Column('text', { nullable: true })
  event!: string | null

  @Column('text', { name: 'portal_id' })
  portalId!: string

  @Column('text', { name: 'user_id', nullable: true })
  userId!: string | null

  @Column('text', { name: 'anonymous_id', nullable: true })
  anonymousId!: string | null

  @Column('text', { name: 'schema_hash', nullable: true })
  schemaHash!: string | null

  @Column('text', { name: 'trace_parent', nullable: true })
  traceParent!: string | null

  @Column('text', { nullable: true })
  reason!: string | null

  @Column('jsonb')
  body!: Record<string, unknown>
}
