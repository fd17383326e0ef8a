import { Column, Entity, PrimaryColumn } from 'typeorm'

/** A tenant: one customer's portal. Everything else belongs to exactly one. */
@Entity('portal')
export class Portal {
  @PrimaryColumn('uuid', { default: () => 'gen_random_uuid()' })
  id!: string

  /** The portal's name in addresses. Unique, lower case. */
  @Column('text')
  slug!: string

  @Column('text')
  name!: string

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date
}
