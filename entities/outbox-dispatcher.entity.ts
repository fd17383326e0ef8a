import { Column, Entity, PrimaryColumn } from 'typeorm'

/** A process that dispatches, by its own heartbeat. For reading only. */
@Entity('outbox_dispatcher', { synchronize: false })
export class OutboxDispatcher {
  @PrimaryColumn('text')
  owner!: string

  @Column('timestamptz', { name: 'started_at' })
  startedAt!: Date

  @Column('timestamptz', { name: 'last_tick_at' })
  lastTickAt!: Date

  @Column('bigint', { name: 'interval_ms' })
  intervalMs!: string

  @Column('text')
  version!: string
}
