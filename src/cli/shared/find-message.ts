import type { DataSource } from 'typeorm'
import { tableNames } from '../../tables'
import { CliError, WrongUseError } from './cli-error'

/** Hex digits of a messageId that have to be given at least. */
const LEAST_DIGITS = 8
/** Ids that are shown where several begin alike. */
const SHOWN = 5

/** The one messageId that begins so: a scan of the primary key between the lowest and the highest that could. */
export async function findMessageId(
  dataSource: DataSource,
  schema: string | undefined,
  text: string,
): Promise<string> {
  const digits = text.toLowerCase().replaceAll('-', '')
  if (!/^[0-9a-f]*$/.test(digits) || digits.length < LEAST_DIGITS || digits.length > 32) {
    throw new WrongUseError(
      'That is no messageId.',
      '',
      `Give one, or its first ${LEAST_DIGITS} hexadecimal digits or more; \`synap-outbox messages\` lists them.`,
    )
  }
  const { message } = tableNames(dataSource, schema)
  const found: { id: string }[] = await dataSource.query(
    `SELECT message_id AS id FROM ${message} WHERE message_id BETWEEN $1::uuid AND $2::uuid
     ORDER BY message_id LIMIT ${SHOWN + 1}`,
    [digits.padEnd(32, '0'), digits.padEnd(32, 'f')],
  )
  const [only, another] = found
  if (only === undefined) {
    throw new CliError(
      `There is no message ${digits.length === 32 ? '' : 'whose id begins with '}${text.toLowerCase()}.`,
      'It was never recorded, its transaction was rolled back, or its retention is over.',
      'Look for the user’s messages: synap-outbox messages --user ID',
    )
  }
  if (another !== undefined) {
    const shown = found.slice(0, SHOWN).map(({ id }) => id)
    const more = found.length > SHOWN ? ' and more' : ''
    throw new WrongUseError(`Several messages begin so: ${shown.join(', ')}${more}.`, '', 'Give more of it.')
  }
  return only.id
}
