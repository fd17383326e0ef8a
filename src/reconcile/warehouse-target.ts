import { WarehouseError } from '../errors'

/** Where a source's events end up. */
export interface WarehouseTarget {
  /** `postgres://user:password@host/database`; a role that may only SELECT is enough, and best. */
  readonly url: string
  /** The source's schema in it. */
  readonly schema: string
}

/** Throws WarehouseError where the address or the schema cannot be one. The address itself is never repeated. */
export function checkTarget({ url, schema }: WarehouseTarget): void {
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined
  const decodable = parsed && isDecodable(parsed.username + parsed.password + parsed.pathname)
  if (!decodable || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    throw new WarehouseError(
      'The address of the warehouse cannot be read.',
      'It is not repeated here, since it may hold a password.',
      'It has to look like postgres://user:password@host:5432/database, with special characters percent-encoded.',
    )
  }
  if (typeof schema === 'string' && schema !== '' && Buffer.byteLength(schema) <= 63) return
  throw new WarehouseError(
    'The name of the warehouse’s schema is empty or too long.',
    'Each source has a schema of its own.',
    'Pass the source’s slug in snake_case, as the warehouse shows it: SELECT schema_name FROM information_schema.schemata',
  )
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
