import { Column, PrimaryColumn } from 'typeorm'

/** What every row of a portal has: an id of its own, and the portal that it never leaves. */
export abstract class PortalRow {
  /** Set by the database. `PrimaryGeneratedColumn` would ask for the extension uuid-ossp. */
  @PrimaryColumn('uuid', { default: () => 'gen_random_uuid()' })
  id!: string

  @Column('uuid', { name: 'portal_id' })
  portalId!: string
}
