import type { Command } from 'commander'
import type { DataSource } from 'typeorm'
import { COUNT_LIMIT } from '../operate/inspect/types'
import type { RetentionOptions } from '../operate/prune'
import { tableNames } from '../tables'
import { Screen } from './output/screen'
import { count, counted } from './output/words'
import { type ApprovalOptions, addApprovalOptions, checkApproval, confirm } from './shared/approval'
import { databaseCommand, exits, type OutputOptions } from './shared/command'
import { type ConnectionOptions, withOutbox } from './shared/connection'
import { wholeNumber } from './shared/numbers'

type Days = Omit<RetentionOptions, 'chunk'>
type Options = ConnectionOptions & OutputOptions & ApprovalOptions & Partial<Days>

const days = wholeNumber(1, 3650)

export function addPrune(program: Command): void {
  databaseCommand(
    program,
    'prune',
    {
      description:
        'Remove settled messages that are past their retention, and old history of sends. Pending ones never. ' +
        'The application does so by itself; give its retention here if it is not the default.',
      summary: 'Remove settled messages that are past their retention.',
      examples: ['prune --dry-run', 'prune --delivered-days 30 --yes'],
    },
    (command) =>
      addApprovalOptions(
        command
          .optionsGroup('Retention, in days:')
          .option('--delivered-days <days>', 'of delivered messages (default 14)', days)
          .option('--dead-days <days>', 'of dead messages (default 90)', days)
          .option('--uncertain-days <days>', 'of uncertain messages (default 90)', days)
          .option('--discarded-days <days>', 'of discarded messages (default 30)', days)
          .option('--batch-days <days>', 'of the history of sends (default 30)', days)
          .optionsGroup('Change:'),
      ),
  ).action(exits(prune))
}

async function prune(options: Options): Promise<undefined> {
  const screen = new Screen()
  const dryRun = options.dryRun === true
  checkApproval(options)
  await withOutbox(
    options,
    async ({ outbox, dataSource, resolved: { retention } }) => {
      const expired = await countExpired(dataSource, options.schema, retention)
      const found = `${counted(expired.messages, 'message')} and ${counted(expired.batches, 'batch', 'batches')}`
      if (dryRun || expired.messages + expired.batches === 0) {
        if (options.json) screen.printJson({ dryRun, expired, report: null })
        else
          screen.print(
            dryRun
              ? `Dry run: ${found} are past their retention. Nothing was changed.`
              : 'Nothing is past its retention.',
          )
        return
      }
      await confirm(`Remove ${found} for good?`, options)
      const report = await outbox.prune()
      if (options.json) screen.printJson({ dryRun, expired, report })
      else screen.print(`Removed ${count(report.messages)} messages and ${count(report.batches)} batches.`)
    },
    { outbox: { retention: given(options) } },
  )
}

function given({ deliveredDays, deadDays, uncertainDays, discardedDays, batchDays }: Options): Partial<Days> {
  const all = { deliveredDays, deadDays, uncertainDays, discardedDays, batchDays }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** By the indexes that pruning itself goes by; counting stops at the bound. */
async function countExpired(
  dataSource: DataSource,
  schema: string | undefined,
  { deliveredDays, deadDays, uncertainDays, discardedDays, batchDays }: Days,
): Promise<{ messages: number; batches: number }> {
  const t = tableNames(dataSource, schema)
  const before = (parameter: string) => `settled_at < now() - ${parameter}::float8 * interval '1 day'`
  const counted = (from: string) => `(SELECT count(*)::int FROM (SELECT FROM ${from} LIMIT ${COUNT_LIMIT}) c)`
  const statuses = ['delivered', 'dead', 'uncertain', 'discarded']
  const messages = statuses.map((status, i) =>
    counted(`${t.message} WHERE status = '${status}' AND status <> 'pending' AND ${before(`$${i + 1}`)}`),
  )
  const [row] = await dataSource.query(
    `SELECT ${messages.join(' + ')} AS messages,
            ${counted(`${t.batch} WHERE outcome IS NOT NULL AND ${before('$5')}`)} AS batches`,
    [deliveredDays, deadDays, uncertainDays, discardedDays, batchDays],
  )
  return row
}
