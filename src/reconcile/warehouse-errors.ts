import { WarehouseError } from '../errors'

/** What errors mean that people meet, by PostgreSQL's SQLSTATE (documentation, appendix A) or the system's code. */
const MEANINGS: Readonly<Record<string, [why: string, remedy: string]>> = {
  ECONNREFUSED: ['nothing listens there', 'Check the host and the port, and whether the warehouse runs.'],
  ENOTFOUND: ['there is no such host', 'Check the host.'],
  EAI_AGAIN: ['its name could not be looked up', 'Check the host, or try again.'],
  ETIMEDOUT: ['no answer in time', 'Check whether this machine may reach it.'],
  '28P01': ['the user or the password is wrong', 'Save the warehouse again with the right ones.'],
  '28000': ['this user may not log in from here', 'Allow this machine in the warehouse’s pg_hba.conf.'],
  '3D000': ['there is no such database', 'Check the database’s name.'],
  '42501': [
    'this role may not read the source’s schema',
    'GRANT USAGE ON SCHEMA and SELECT ON ALL TABLES IN SCHEMA to it, and ALTER DEFAULT PRIVILEGES for later tables.',
  ],
  '57014': [
    'a statement took longer than it may',
    'Is there an index on id, as Segment makes it? Try again when the warehouse is less busy, or for a shorter period.',
  ],
}

/** The same error in three sentences, without the password. */
export function explainWarehouseError(error: unknown, where: string, password: string): WarehouseError {
  const { code, message } = error as { code?: string; message?: string }
  const slow = /timeout/i.test(message ?? '') ? MEANINGS.ETIMEDOUT : undefined
  const said = message || code || 'it failed without a reason'
  const [why, remedy] = MEANINGS[code ?? ''] ??
    slow ?? [
      password === '' ? said : said.replaceAll(password, '[password]'),
      'Look at the warehouse’s log, and try again.',
    ]
  return new WarehouseError(
    `The warehouse at ${where} cannot be read: ${why}.`,
    'The comparison ended there; what it had confirmed is kept, and nothing was sent again because of it.',
    remedy,
  )
}
