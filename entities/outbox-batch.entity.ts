import { Column, Entity, PrimaryColumn } from 'typeorm'

export type BatchOutcome = 'delivered' | 'split' | 'dead' | 'uncertain' | 'discarded'

/** One attempt to send a batch, as its history keeps it. */
export interface Attempt {
  /** When the request went out, ISO 8601, on the database's clock. */
  at: string
  /** How long until its outcome was known, in milliseconds. Absent when the process ended before. */
  ms?: number
  verdict: string
  /** HTTP status, where an answer arrived. */
  status?: number
  /** What went wrong, in plain words. */
  error?: string
  /** What `Retry-After` asked for, in milliseconds. */
  retryAfterMs?: number
}

/** The write-ahead log of sends: committed before the request goes out. For reading only. */
@Entity('outbox_batch', { synchronize: false })
export class OutboxBatch {
  @PrimaryColumn('bigint', { name: 'batch_id' })
  batchId!: string

  @Column('bigint', { name: 'parent_id', nullable: true })
  parentId!: string | null

  @Column('bigint', { name: 'first_seq' })
  firstSeq!: string

  @Column('bigint', { name: 'last_seq' })
  lastSeq!: string

  @Column('bigint', { name: 'lease_token' })
  leaseToken!: string

  @Column('uuid', { name: 'source_id' })
  sourceId!: string

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date

  @Column('timestamptz', { name: 'attempt_started_at', nullable: true })
  attemptStartedAt!: Date | null

  @Column('timestamptz', { name: 'first_ambiguous_at', nullable: true })
  firstAmbiguousAt!: Date | null

  @Column('timestamptz', { name: 'settled_at', nullable: true })
  settledAt!: Date | null

  @Column('timestamptz', { name: 'confirmed_at', nullable: true })
  confirmedAt!: Date | null

  @Column('integer', { name: 'wire_bytes' })
  wireBytes!: number

  @Column('integer', { name: 'attempt_count' })
  attemptCount!: number

  @Column('text', { nullable: true })
  outcome!: BatchOutcome | null

  @Column('uuid', { name: 'message_ids', array: true })
  messageIds!: string[]

  @Column('jsonb')
  attempts!: Attempt[]
}
