import { Column, Entity, PrimaryColumn } from 'typeorm'

/** Where a source's events end up, and what was last found there. For reading only; see `outbox.warehouses`. */
@Entity('segment_warehouse', { synchronize: false })
export class SegmentWarehouse {
  @PrimaryColumn('uuid', { name: 'source_id' })
  sourceId!: string

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date

  @Column('timestamptz', { name: 'reconciled_at', nullable: true })
  reconciledAt!: Date | null

  @Column('timestamptz', { name: 'canary_lost_since', nullable: true })
  canaryLostSince!: Date | null

  @Column('double precision', { name: 'lag_hours' })
  lagHours!: number

  @Column('integer', { name: 'canary_minutes', nullable: true })
  canaryMinutes!: number | null

  @Column('integer')
  missing!: number

  @Column('text', { name: 'schema_name' })
  schemaName!: string

  @Column('bytea', { name: 'url_ciphertext' })
  urlCiphertext!: Buffer

  @Column('text', { name: 'url_secret_id' })
  urlSecretId!: string
}
