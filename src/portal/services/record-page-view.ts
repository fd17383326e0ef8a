import type { Portal } from '../../../entities/portal'
import type { PortalContext } from '../context'

/** The Synap user, or the browser of somebody who is not logged in. */
export type Visitor = { userId: string } | { anonymousId: string }

export interface PageView {
  name: string
  category?: string | undefined
  path: string
  title?: string | undefined
  search?: string | undefined
  referrer?: string | undefined
}

/** Records that a page of the portal was seen. There is no business change: the transaction is the record's own. */
export async function recordPageView(
  { dataSource, outbox, clock }: PortalContext,
  portal: Portal,
  visitor: Visitor,
  { name, category, ...properties }: PageView,
): Promise<void> {
  await dataSource.transaction(async (tx) => {
    await outbox.page(tx, { ...visitor, portalId: portal.id, timestamp: clock(), name, category, properties })
  })
}
