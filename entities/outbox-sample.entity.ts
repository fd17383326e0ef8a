import { Column, Entity, PrimaryColumn } from 'typeorm'

/** Backlog and lag in one minute. For reading only. */
@Entity('outbox_sample', { synchronize: false })
export class OutboxSample {
  @PrimaryColumn('timestamptz')
  at!: Date

  @Column('bigint', { name: 'lag_ms' })
  lagMs!: string

  @Column('integer')
  pending!: number
}
