import { type AttributeValue, type MarketingEmailsConsent, PortalUser } from '../../../entities/portal'
import type { Actor, PortalContext } from '../context'
import { ValidationError } from '../errors'
import { identifyTraits } from './traits'

/** Keeps a user's traits well below the 32 KB that Segment takes in one call. */
export const MAX_ATTRIBUTES = 20

export interface ProfileChange {
  firstName?: string | undefined
  lastName?: string | undefined
  /** Null takes the picture away. */
  profilePicture?: string | null | undefined
  marketingEmailsConsent?: MarketingEmailsConsent | undefined
  /** Attributes to set, by name. Null takes one away; the others stay. */
  attributes?: Record<string, AttributeValue | null> | undefined
}

/** Changes the user's own profile, and records all its traits with it. */
export async function updateProfile(
  { dataSource, outbox, clock }: PortalContext,
  actor: Actor,
  change: ProfileChange,
): Promise<PortalUser> {
  return dataSource.transaction(async (tx) => {
    // Locked, or of two changes of the attributes at once the second would undo the first.
    const user = await tx.findOneOrFail(PortalUser, {
      where: { id: actor.userId, portalId: actor.portalId },
      lock: { mode: 'for_no_key_update' },
    })
    const { attributes, removed } = mergeAttributes(user.attributes, change.attributes ?? {})
    const fields = {
      firstName: change.firstName ?? user.firstName,
      lastName: change.lastName ?? user.lastName,
      profilePicture: change.profilePicture === undefined ? user.profilePicture : change.profilePicture,
      marketingEmailsConsent: change.marketingEmailsConsent ?? user.marketingEmailsConsent,
      attributes,
    }
    await tx.update(PortalUser, user.id, fields)
    const changed = Object.assign(user, fields)
    await outbox.identify(tx, {
      portalId: user.portalId,
      userId: user.id,
      timestamp: clock(),
      traits: identifyTraits(changed, removed),
    })
    return changed
  })
}

function mergeAttributes(
  present: Record<string, AttributeValue>,
  changes: Record<string, AttributeValue | null>,
): { attributes: Record<string, AttributeValue>; removed: string[] } {
  const attributes = { ...present }
  const removed: string[] = []
  for (const [name, value] of Object.entries(changes)) {
    if (value !== null) attributes[name] = value
    else if (Object.hasOwn(attributes, name)) {
      delete attributes[name]
      removed.push(name)
    }
  }
  if (Object.keys(attributes).length > MAX_ATTRIBUTES) {
    throw new ValidationError({ attributes: `A user has at most ${MAX_ATTRIBUTES} attributes.` })
  }
  return { attributes, removed }
}
