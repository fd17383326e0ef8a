import { WrongUseError } from './cli-error'

const EXAMPLE = 'postgres://user:password@host:5432/database'

/** The database that is meant. The URL itself never gets into an error: it may hold a password, well-formed or not. */
export function parseDatabaseUrl(given = process.env.DATABASE_URL): URL {
  if (!given) {
    throw new WrongUseError('No database is named.', '', `Set DATABASE_URL, such as ${EXAMPLE}.`)
  }
  const url = URL.canParse(given) ? new URL(given) : undefined
  if (url === undefined || !isDecodable(url)) {
    throw new WrongUseError(
      'The database URL cannot be read.',
      'It is not repeated here, since it may hold a password.',
      `It has to look like ${EXAMPLE}, with special characters in the password percent-encoded.`,
    )
  }
  if (!/^postgres(ql)?:$/.test(url.protocol)) {
    throw new WrongUseError(
      `The database URL begins with "${url.protocol}", and not with "postgres:".`,
      'The outbox lives in PostgreSQL.',
      `Set DATABASE_URL to one such as ${EXAMPLE}.`,
    )
  }
  return url
}

/** The database as errors may name it: without password and parameters. */
export function describeUrl(url: URL): string {
  return `${url.hostname || 'localhost'}:${url.port || 5432}${url.pathname}`
}

function isDecodable(url: URL): boolean {
  try {
    for (const part of [url.username, url.password, url.pathname]) decodeURIComponent(part)
    return true
  } catch {
    return false
  }
}
