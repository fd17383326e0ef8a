import type { ReadFacts, synapPlan } from 'synap-outbox'
import { type FactRow, factOf, readRows } from './read-rows'

type Read<E extends keyof typeof synapPlan.events> = ReadFacts<typeof synapPlan, E>

/**
 * Without the role and whether the address was verified: the portal knows what they are now, and not what they were
 * when the account was registered.
 */
export const userRegistered: Read<'User Registered'> = async (page) => {
  const rows = await readRows<FactRow>(page, {
    from: '(SELECT *, id AS user_id FROM portal_user) f',
    at: 'f.created_at',
  })
  return rows.map((row) => factOf(row, { accountId: row.id, method: 'password' as const }))
}

export const userLoggedIn: Read<'User Logged In'> = async (page) => {
  const rows = await readRows<FactRow>(page, { from: 'portal_session f', at: 'f.created_at' })
  return rows.map((row) => factOf(row, { sessionId: row.id, method: 'password' as const }))
}

interface RestoreRow extends FactRow {
  sessionId: string
  restoreNumber: number
  inactiveSeconds: number
}

export const userSessionRestored: Read<'User Session Restored'> = async (page) => {
  const rows = await readRows<RestoreRow>(page, {
    from: '(SELECT r.*, s.user_id FROM portal_session_restore r JOIN portal_session s ON s.id = r.session_id) f',
    at: 'f.restored_at',
    columns: [
      'f.session_id AS "sessionId"',
      'f.restore_number AS "restoreNumber"',
      'f.inactive_seconds AS "inactiveSeconds"',
    ],
  })
  return rows.map((row) => {
    const { sessionId, restoreNumber, inactiveSeconds } = row
    return factOf(row, { sessionId, restoreNumber, inactiveSeconds })
  })
}
