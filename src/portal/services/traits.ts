import type { AttributeValue, Portal, PortalUser, UserGroup } from '../../../entities/portal'

/** The `EI-` traits of a portal's own attributes. Null takes an attribute away. */
type AttributeTraits = Record<`EI-${string}`, AttributeValue | null>

/** Everything Segment is told of a user, and `null` for the attributes in `removed`. */
export function identifyTraits(user: PortalUser, removed: readonly string[] = []) {
  const attributes: AttributeTraits = {}
  for (const name of removed) attributes[`EI-${name}`] = null
  for (const [name, value] of Object.entries(user.attributes)) attributes[`EI-${name}`] = value
  return {
    createdAt: user.createdAt,
    email: user.email,
    emailVerified: user.emailVerified,
    firstName: user.firstName,
    lastName: user.lastName,
    name: `${user.firstName} ${user.lastName}`,
    marketingEmailsConsent: user.marketingEmailsConsent,
    profilePicture: user.profilePicture,
    ...attributes,
  }
}

export function portalTraits(portal: Portal) {
  return { kind: 'portal' as const, name: portal.name, slug: portal.slug, createdAt: portal.createdAt }
}

export function userGroupTraits(group: UserGroup) {
  return { kind: 'user group' as const, name: group.name, createdAt: group.createdAt }
}
