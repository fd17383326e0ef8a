import { randomUUID } from 'node:crypto'
import { CollectionItem, CollectionItemView } from '../../../entities/portal'
import type { Actor, PortalContext } from '../context'
import { ConflictError, NotFoundError } from '../errors'
import { insertNew } from './rows'

export interface View {
  viewId: string
  /** False when this view had been reported before. */
  created: boolean
}

/**
 * A user views a collection item. Records `Collection Item Viewed`.
 *
 * A browser that names the view itself can report it again after a lost answer: it stays one view and one event.
 * Throws ConflictError `view-id-taken` when that name belongs to another view.
 */
export async function viewCollectionItem(
  { dataSource, outbox, clock }: PortalContext,
  actor: Actor,
  { itemId, viewId = randomUUID() }: { itemId: string; viewId?: string | undefined },
): Promise<View> {
  const { portalId, userId } = actor
  return dataSource.transaction(async (tx) => {
    const item = await tx.findOneBy(CollectionItem, { id: itemId, portalId })
    if (!item) throw new NotFoundError('collection item')
    const viewedAt = clock()
    const view = { id: viewId, portalId, itemId, userId }
    const created = (await insertNew(tx, CollectionItemView, [{ ...view, viewedAt }])).length === 1
    if (!created && !(await tx.existsBy(CollectionItemView, view))) {
      throw new ConflictError('view-id-taken', 'This view id belongs to another view.')
    }
    if (created) {
      await outbox.track(tx, 'Collection Item Viewed', {
        portalId,
        userId,
        timestamp: viewedAt,
        properties: { viewId, collectionId: item.collectionId, itemId, itemType: item.type },
      })
    }
    return { viewId, created }
  })
}
