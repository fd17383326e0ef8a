import type { Command } from 'commander'
import type { DataSource } from 'typeorm'
import { tableNames } from '../tables'
import { Screen } from './output/screen'
import { counted } from './output/words'
import { type ApprovalOptions, addApprovalOptions, checkApproval, confirm } from './shared/approval'
import { CliError } from './shared/cli-error'
import { databaseCommand, exits, type OutputOptions } from './shared/command'
import { type ConnectionOptions, withOutbox } from './shared/connection'
import { ExitCode } from './shared/exit-codes'

type Options = ConnectionOptions & OutputOptions & ApprovalOptions & { migrationsTable: string }

export function addMigrate(program: Command): void {
  databaseCommand(
    program,
    'migrate',
    {
      description:
        'Run the outbox’s own migrations, and no others. Not needed where the application has them among its own.',
      summary: 'Run the outbox’s own migrations.',
      examples: ['migrate --dry-run', 'migrate --yes', 'migrate --schema analytics'],
      attention: 'migrations are pending (with --dry-run)',
    },
    (command) =>
      addApprovalOptions(
        command
          .optionsGroup('Change:')
          .option('--migrations-table <name>', 'where TypeORM notes what has run', 'migrations'),
      ),
  ).action(exits(migrate))
}

async function migrate(options: Options): Promise<ExitCode> {
  const screen = new Screen()
  const dryRun = options.dryRun === true
  checkApproval(options)
  return withOutbox(
    options,
    async ({ dataSource }) => {
      const pending = await pendingMigrations(dataSource, options)
      const report = (ran: readonly string[]) => {
        if (options.json) screen.printJson({ dryRun, pending, ran })
      }
      const print = options.json ? () => {} : (text: string) => screen.print(text)
      for (const name of pending) print(`pending  ${name}`)
      if (pending.length === 0 || dryRun) {
        print(pending.length === 0 ? 'No migration is pending.' : 'Dry run: nothing was changed.')
        report([])
        return pending.length > 0 ? ExitCode.ATTENTION : ExitCode.FINE
      }
      await confirm(`Run ${counted(pending.length, 'migration')}?`, options)
      const ran = (await dataSource.runMigrations()).map(({ name }) => name)
      for (const name of ran) print(`ran      ${name}`)
      report(ran)
      return ExitCode.FINE
    },
    { dataSource: { migrationsTableName: options.migrationsTable } },
  )
}

/** Looks without creating TypeORM's table, as TypeORM itself would. */
async function pendingMigrations(
  dataSource: DataSource,
  { schema, migrationsTable }: Options,
): Promise<string[]> {
  const noted = `"${migrationsTable.replaceAll('"', '""')}"`
  const { message } = tableNames(dataSource, schema)
  const [found] = await dataSource.query(
    'SELECT to_regclass($1) IS NOT NULL AS noted, to_regclass($2) IS NOT NULL AS created',
    [noted, message],
  )
  const rows: { name: string }[] = found.noted ? await dataSource.query(`SELECT name FROM ${noted}`) : []
  const names = dataSource.migrations.map((migration) => migration.name ?? migration.constructor.name)
  const pending = names.filter((name) => !rows.some((row) => row.name === name))
  if (found.created && pending.length === names.length) {
    throw new CliError(
      `The outbox’s tables are there, but ${noted} knows nothing of their migrations.`,
      'To run them again would fail.',
      'Name the table that the application’s DataSource notes its migrations in: --migrations-table.',
    )
  }
  if (!found.created && pending.length === 0) {
    throw new CliError(
      `According to ${noted} the migrations have run, but ${message} is not there.`,
      'The tables are in another schema, or somebody has dropped them.',
      'Name their schema with --schema.',
    )
  }
  return pending
}
