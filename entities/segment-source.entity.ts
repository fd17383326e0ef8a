import { Column, Entity, PrimaryColumn } from 'typeorm'

export type Region = 'us' | 'eu'
export type SourceStatus = 'enabled' | 'paused' | 'disabled'
export type Verification = 'known' | 'unknown' | 'unverified'

/** A portal's Segment integration. Written through `outbox.sources` only, which encrypts the write key. */
@Entity('segment_source', { synchronize: false })
export class SegmentSource {
  @PrimaryColumn('uuid', { name: 'source_id' })
  sourceId!: string

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date

  @Column('timestamptz', { name: 'verified_at', nullable: true })
  verifiedAt!: Date | null

  @Column('text', { name: 'portal_id' })
  portalId!: string

  @Column('text')
  region!: Region

  @Column('text')
  status!: SourceStatus

  @Column('boolean', { name: 'detailed_events' })
  detailedEvents!: boolean

  @Column('text')
  verification!: Verification

  /** Never selected unless asked for by name: it must not travel further than the dispatcher. */
  @Column('bytea', { name: 'write_key_ciphertext', select: false })
  writeKeyCiphertext!: Buffer

  @Column('text', { name: 'write_key_secret_id' })
  writeKeySecretId!: string

  @Column('text', { name: 'write_key_last_four' })
  writeKeyLastFour!: string

  @Column('integer', { name: 'write_key_version' })
  writeKeyVersion!: number
}
