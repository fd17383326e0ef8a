import { Column, Entity, PrimaryColumn } from 'typeorm'

/** A range of one event's history, recorded from the application's own tables. For reading only. */
@Entity('outbox_backfill', { synchronize: false })
export class OutboxBackfill {
  @PrimaryColumn('uuid', { name: 'source_id' })
  sourceId!: string

  @PrimaryColumn('text')
  event!: string

  @PrimaryColumn('timestamptz', { name: 'from_at' })
  fromAt!: Date

  @Column('timestamptz', { name: 'to_at' })
  toAt!: Date

  @Column('timestamptz', { name: 'started_at' })
  startedAt!: Date

  @Column('timestamptz', { name: 'advanced_at' })
  advancedAt!: Date

  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt!: Date | null

  @Column('bigint')
  recorded!: string

  @Column('bigint')
  duplicates!: string

  @Column('bigint')
  diverted!: string

  @Column('text', { name: 'read_through', nullable: true })
  readThrough!: string | null
}
