import { UserGroup, UserGroupMember } from '../../../entities/portal'
import type { Actor, PortalContext } from '../context'
import { ForbiddenError, NotFoundError } from '../errors'
import { userGroupTraits } from './traits'

/**
 * Joins a user group. Records the group call when the user was not in it yet, and answers whether that was so.
 * Throws ForbiddenError `group-closed` for a group that only staff put users into.
 */
export async function joinUserGroup(
  { dataSource, outbox, clock }: PortalContext,
  actor: Actor,
  groupId: string,
): Promise<{ group: UserGroup; joined: boolean }> {
  const { portalId, userId } = actor
  return dataSource.transaction(async (tx) => {
    const group = await tx.findOneBy(UserGroup, { id: groupId, portalId })
    if (!group) throw new NotFoundError('user group')
    if (!group.open) throw new ForbiddenError('group-closed', 'Nobody can join this group by themselves.')
    const joinedAt = clock()
    const insert = tx.createQueryBuilder().insert().into(UserGroupMember)
    const member = insert.values({ portalId, groupId, userId, joinedAt }).orIgnore().returning('group_id')
    const joined = ((await member.execute()).raw as unknown[]).length === 1
    if (joined) {
      await outbox.group(tx, {
        portalId,
        userId,
        groupId,
        timestamp: joinedAt,
        traits: userGroupTraits(group),
      })
    }
    return { group, joined }
  })
}
