import { Column, Entity } from 'typeorm'
import { PortalRow } from './portal-row'

export type CollectionItemType = 'article' | 'video' | 'audio' | 'document' | 'link' | 'test'

@Entity('portal_collection_item')
export class CollectionItem extends PortalRow {
  @Column('uuid', { name: 'collection_id' })
  collectionId!: string

  /** 1, 2, … in its collection. */
  @Column('integer')
  position!: number

  @Column('text')
  type!: CollectionItemType

  @Column('text')
  title!: string
}

/** A user opened an item. Opening it again is another view. */
@Entity('portal_collection_item_view')
export class CollectionItemView extends PortalRow {
  @Column('uuid', { name: 'item_id' })
  itemId!: string

  @Column('uuid', { name: 'user_id' })
  userId!: string

  @Column('timestamptz', { name: 'viewed_at' })
  viewedAt!: Date
}
