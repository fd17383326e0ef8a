import { Column, Entity, PrimaryColumn } from 'typeorm'

/** A source's run-time state: lease, back-off and turn. For reading only. */
@Entity('source_delivery', { synchronize: false })
export class SourceDelivery {
  @PrimaryColumn('uuid', { name: 'source_id' })
  sourceId!: string

  @Column('bigint', { name: 'lease_token' })
  leaseToken!: string

  @Column('bigint', { name: 'settled_through_seq' })
  settledThroughSeq!: string

  @Column('timestamptz', { name: 'lease_expires_at' })
  leaseExpiresAt!: Date

  @Column('timestamptz', { name: 'resume_at' })
  resumeAt!: Date

  @Column('timestamptz', { name: 'last_turn_at' })
  lastTurnAt!: Date

  @Column('timestamptz', { name: 'swept_at' })
  sweptAt!: Date

  @Column('timestamptz', { name: 'last_delivered_at', nullable: true })
  lastDeliveredAt!: Date | null

  @Column('timestamptz', { name: 'last_failed_at', nullable: true })
  lastFailedAt!: Date | null

  @Column('integer')
  failures!: number

  @Column('text', { name: 'lease_owner', nullable: true })
  leaseOwner!: string | null

  @Column('text', { name: 'last_error', nullable: true })
  lastError!: string | null
}
