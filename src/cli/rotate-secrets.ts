import type { Command } from 'commander'
import type { DataSource } from 'typeorm'
import { tableNames } from '../tables'
import { safe } from './output/safe-text'
import { Screen } from './output/screen'
import { counted } from './output/words'
import {
  addResponsibilityOptions,
  checkAuditedApproval,
  confirm,
  type ResponsibilityOptions,
  responsibilityOf,
} from './shared/approval'
import { databaseCommand, exits, type OutputOptions } from './shared/command'
import { type ConnectionOptions, withOutbox } from './shared/connection'
import { ExitCode } from './shared/exit-codes'

type Options = ConnectionOptions & OutputOptions & ResponsibilityOptions

export function addRotateSecrets(sources: Command): void {
  databaseCommand(
    sources,
    'rotate-secrets',
    {
      description:
        'Encrypt all write keys and the warehouses’ addresses with the first of OUTBOX_SECRET_KEYS. Put a new key in front, restart the ' +
        'application with both, run this, and then take the old one out.',
      summary: 'Encrypt all write keys with the first of OUTBOX_SECRET_KEYS.',
      examples: [
        'sources rotate-secrets --dry-run',
        "sources rotate-secrets --reason 'yearly rotation' --yes",
      ],
      attention: 'a write key or an address does not decrypt with any of OUTBOX_SECRET_KEYS',
    },
    addResponsibilityOptions,
  ).action(exits(rotateSecrets))
}

async function rotateSecrets(options: Options): Promise<ExitCode> {
  const screen = new Screen()
  const dryRun = options.dryRun === true
  checkAuditedApproval(options)
  return withOutbox(
    options,
    async ({ outbox, dataSource }) => {
      const writeKeys = await countBySecret(dataSource, options.schema)
      const first = (process.env.OUTBOX_SECRET_KEYS ?? '').trim().split(':')[0] ?? ''
      const others = writeKeys.filter(({ secretId }) => secretId !== first)
      const from = others.map(({ secretId }) => safe(secretId)).join(', ')
      const deed = `Encrypt ${inWords(others)} again, now under ${from}, with the secret key ${first}`
      if (dryRun || others.length === 0) {
        if (options.json) screen.printJson({ dryRun, writeKeys, report: null, warehouses: null })
        else
          screen.print(
            others.length === 0
              ? `All write keys and warehouse addresses are encrypted with ${first}.`
              : `Dry run: ${deed}. Nothing was changed.`,
          )
        return ExitCode.FINE
      }
      await confirm(`${deed}?`, options)
      const by = await responsibilityOf(options)
      const report = await outbox.sources.rotateSecrets(by)
      const addresses = await outbox.warehouses.rotateSecrets()
      const done = inWords([{ writeKeys: report.rotated, addresses: addresses.rotated }])
      if (options.json) screen.printJson({ dryRun, writeKeys, report, warehouses: addresses })
      else screen.print(`${done} encrypted again with ${first}.`)
      for (const { portalId, secretId } of report.missing) {
        screen.say(
          `The write key of ${safe(portalId)} does not decrypt with the secret key "${safe(secretId)}".`,
        )
      }
      for (const { portalId } of addresses.missing) {
        screen.say(`The address of ${safe(portalId)}’s warehouse does not decrypt: save it again.`)
      }
      return report.missing.length + addresses.missing.length > 0 ? ExitCode.ATTENTION : ExitCode.FINE
    },
    { secretKeys: true },
  )
}

interface Encrypted {
  writeKeys: number
  addresses: number
}

/** `2 write keys and 1 warehouse address`. */
function inWords(encrypted: readonly Encrypted[]): string {
  const sum = (what: keyof Encrypted) => encrypted.reduce((n, one) => n + one[what], 0)
  const addresses = sum('addresses')
  const also = addresses > 0 ? ` and ${counted(addresses, 'warehouse address', 'warehouse addresses')}` : ''
  return `${counted(sum('writeKeys'), 'write key')}${also}`
}

function countBySecret(
  dataSource: DataSource,
  schema: string | undefined,
): Promise<(Encrypted & { secretId: string })[]> {
  const { source, warehouse } = tableNames(dataSource, schema)
  return dataSource.query(
    `SELECT id AS "secretId", count(*) FILTER (WHERE key)::int AS "writeKeys",
            count(*) FILTER (WHERE NOT key)::int AS addresses
     FROM (
       SELECT write_key_secret_id AS id, true AS key FROM ${source}
       UNION ALL SELECT url_secret_id, false FROM ${warehouse}
     ) used GROUP BY 1 ORDER BY 1`,
  )
}
