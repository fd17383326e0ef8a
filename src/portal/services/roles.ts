import type { Actor } from '../context'
import { ForbiddenError } from '../errors'

/** Throws ForbiddenError `staff-only` unless the user is a teacher or an admin. */
export function requireStaff(actor: Actor): void {
  if (actor.role === 'student')
    throw new ForbiddenError('staff-only', 'Only teachers and admins may do this.')
}

/** Throws ForbiddenError `admins-only` unless the user is an admin. */
export function requireAdmin(actor: Actor): void {
  if (actor.role !== 'admin') throw new ForbiddenError('admins-only', 'Only admins may do this.')
}
