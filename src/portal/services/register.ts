import { type Portal, PortalUser } from '../../../entities/portal'
import type { PortalContext } from '../context'
import { ConflictError } from '../errors'
import { hashPassword } from './passwords'
import { isUniqueViolation } from './rows'
import { identifyTraits, portalTraits } from './traits'

export interface Registration {
  email: string
  password: string
  firstName: string
  lastName: string
}

/**
 * Registers an account, as a student. Records `User Registered`, the user's traits, and that the user belongs to the
 * portal, in the transaction that creates the user.
 *
 * Throws ConflictError `email-taken`: also when the same address is being registered at the same moment, because the
 * unique index decides.
 */
export async function register(
  context: PortalContext,
  portal: Portal,
  { password, ...names }: Registration,
): Promise<PortalUser> {
  const { dataSource, outbox, clock, settings } = context
  // Before the transaction: no connection is held while the password is hashed.
  const passwordHash = await hashPassword(password, settings.passwordCost)
  try {
    return await dataSource.transaction(async (tx) => {
      const now = clock()
      const user = await tx.save(
        tx.create(PortalUser, {
          ...names,
          portalId: portal.id,
          passwordHash,
          role: 'student',
          emailVerified: false,
          marketingEmailsConsent: 'pending',
          profilePicture: null,
          attributes: {},
          createdAt: now,
        }),
      )
      const by = { portalId: portal.id, userId: user.id, timestamp: now }
      const { role, emailVerified } = user
      await outbox.record(tx, [
        {
          ...by,
          type: 'track',
          event: 'User Registered',
          properties: { accountId: user.id, method: 'password', role, emailVerified },
        },
        { ...by, type: 'identify', traits: identifyTraits(user) },
        { ...by, type: 'group', groupId: portal.id, traits: portalTraits(portal) },
      ])
      return user
    })
  } catch (error) {
    if (!isUniqueViolation(error, 'portal_user_email_unique')) throw error
    throw new ConflictError('email-taken', 'An account with this email address exists already.')
  }
}
