import { Test } from '../../../entities/portal'
import type { Actor, PortalContext } from '../context'

/** The portal's tests, without their questions. */
export function listTests({ dataSource }: PortalContext, { portalId }: Actor): Promise<Test[]> {
  return dataSource.manager.find(Test, { where: { portalId }, order: { title: 'ASC' } })
}
