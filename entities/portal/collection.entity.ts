import { Column, Entity } from 'typeorm'
import { PortalRow } from './portal-row'

/** Study material, in order. */
@Entity('portal_collection')
export class Collection extends PortalRow {
  /** Unique in the portal. */
  @Column('text')
  title!: string

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date
}
