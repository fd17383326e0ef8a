import { type EntityManager, In } from 'typeorm'
import { type PortalRole, PortalUser } from '../../entities/portal'
import { insertNew } from './services/rows'

export interface SeededUser {
  id: string
  email: string
}

/** Rows in one INSERT: PostgreSQL takes 65,535 parameters, and a user has eleven. */
const CHUNK = 1000

/** Users of `role` with addresses like `student-1@<slug>.example`, in that order; those that are missing are added. */
export async function ensureUsers(
  tx: EntityManager,
  portal: { id: string; slug: string },
  role: PortalRole,
  count: number,
  fields: { passwordHash: string; createdAt: Date },
): Promise<SeededUser[]> {
  const emails = Array.from({ length: count }, (_, i) => `${role}-${i + 1}@${portal.slug}.example`)
  const firstName = { student: 'Student', teacher: 'Teacher', admin: 'Admin' }[role]
  const users = emails.map((email, i) => {
    return {
      ...fields,
      portalId: portal.id,
      email,
      emailVerified: true,
      firstName,
      lastName: `${i + 1}`,
      role,
    }
  })
  for (let i = 0; i < users.length; i += CHUNK) await insertNew(tx, PortalUser, users.slice(i, i + CHUNK))
  const found = await tx.findBy(PortalUser, { portalId: portal.id, email: In(emails) })
  const ids = new Map(found.map((user) => [user.email, user.id]))
  return emails.map((email) => ({ id: ids.get(email) as string, email }))
}
