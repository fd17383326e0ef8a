import { CliError } from './cli-error'

/** What a PostgreSQL error code (documentation, appendix A) or a system error means to who runs a command. */
const MEANINGS: Readonly<Record<string, (where: string) => CliError>> = {
  ECONNREFUSED: unreachable('nothing listens there'),
  ENOTFOUND: unreachable('no such host'),
  EAI_AGAIN: unreachable('its name could not be looked up'),
  EHOSTUNREACH: unreachable('there is no way to the host'),
  ETIMEDOUT: unreachable('no answer in time'),
  ECONNRESET: cut,
  '28P01': refused('the user or the password is wrong'),
  '28000': refused('this user may not log in from here'),
  '3D000': refused('there is no such database'),
  '53300': (where) =>
    new CliError(
      `${where} has no connection left.`,
      'Nothing was read or changed.',
      'Try again, or look who holds them: SELECT application_name, count(*) FROM pg_stat_activity GROUP BY 1',
    ),
  '42P01': notMigrated,
  '42703': notMigrated,
  '3F000': notMigrated,
  '42501': (where) =>
    new CliError(
      `This database user may not do that in ${where}.`,
      'Nothing was changed by the statement that was refused.',
      'Use the application’s own user, or grant it the outbox’s tables.',
    ),
}

/** The same error, in three sentences where it is one that people meet; else as it is. */
export function explainDatabaseError(error: unknown, where: string): unknown {
  const code = codeOf(error)
  if (code === undefined) {
    // pg-pool and pg have no codes for their own.
    const text = error instanceof Error ? error.message : ''
    if (/timeout exceeded when trying to connect|connection timeout/i.test(text)) {
      return unreachable('no answer within 10 s')(where)
    }
    if (/password must be a string/.test(text))
      return refused('it wants a password, and none is given')(where)
    if (/Connection terminated|server closed the connection/i.test(text)) {
      return cut(where)
    }
    return error
  }
  return MEANINGS[code]?.(where) ?? error
}

function codeOf(error: unknown): string | undefined {
  const { code, driverError } = (error ?? {}) as { code?: unknown; driverError?: { code?: unknown } }
  const known = driverError?.code ?? code
  return typeof known === 'string' ? known : undefined
}

function unreachable(why: string) {
  return (where: string) =>
    new CliError(
      `Cannot connect to PostgreSQL at ${where}: ${why}.`,
      'Nothing was read or changed.',
      'Check the host and the port in DATABASE_URL, and whether this machine may reach it.',
    )
}

function cut(where: string): CliError {
  return new CliError(
    `The connection to PostgreSQL at ${where} was cut.`,
    'The statement under way may have been carried out; each is whole or not at all.',
    'Look with `synap-outbox audit` and `status`, and repeat what is left.',
  )
}

function refused(why: string) {
  return (where: string) =>
    new CliError(
      `PostgreSQL at ${where} refuses the connection: ${why}.`,
      'Nothing was read or changed.',
      'Check the user, the password and the database in DATABASE_URL.',
    )
}

function notMigrated(where: string): CliError {
  return new CliError(
    `The outbox’s tables are not in ${where}, or are of another version.`,
    'Nothing can be read or sent.',
    'Run `synap-outbox migrate`; name their schema with --schema if they have one of their own.',
  )
}
