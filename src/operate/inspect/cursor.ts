import { OperationError } from '../../errors'
import { isUuid } from './check-input'

/** Where a page ended: microseconds since the epoch, and the id that breaks ties. */
export interface Position {
  readonly micros: string
  readonly messageId: string
}

/** SQL: the moment that `Position.micros` stands for, exactly: a JavaScript Date would lose the microseconds. */
export const momentSql = (micros: string) =>
  `(timestamptz 'epoch' + ${micros}::bigint * interval '1 microsecond')`
/** SQL: the reverse. */
export const microsSql = (moment: string) => `(extract(epoch FROM ${moment}) * 1000000)::bigint::text`

/** Opaque to callers, so that it may change; safe in a URL. */
export function encodeCursor({ micros, messageId }: Position): string {
  return Buffer.from(`${micros} ${messageId}`).toString('base64url')
}

/** Throws OperationError for what `encodeCursor` did not make. */
export function decodeCursor(cursor: string): Position {
  const [micros = '', messageId, ...rest] = Buffer.from(String(cursor), 'base64url').toString().split(' ')
  if (/^-?\d{1,17}$/.test(micros) && isUuid(messageId) && rest.length === 0) return { micros, messageId }
  throw new OperationError(
    'That is not where a page ended.',
    'Reading on from somewhere else would leave messages out.',
    'Pass the `next` of the page before, unchanged, or nothing for the first page.',
  )
}
