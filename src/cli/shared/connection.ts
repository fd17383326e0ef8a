import { randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import type { DataSource, DataSourceOptions } from 'typeorm'
import type * as Module from '../../index'
import type * as Options from '../../options'
import type { OutboxOptions, ResolvedOptions } from '../../options'
import type { Outbox } from '../../outbox'
import { WrongUseError } from './cli-error'
import { explainDatabaseError } from './database-errors'
import { describeUrl, parseDatabaseUrl } from './database-url'
import { requirePeers } from './peers'

export interface ConnectionOptions {
  databaseUrl?: string
  schema?: string
}

export interface Connected {
  readonly outbox: Outbox
  readonly dataSource: DataSource
  /** The outbox's options with their defaults. */
  readonly resolved: ResolvedOptions
}

interface Needs {
  /** Whether write keys are read or written: OUTBOX_SECRET_KEYS has to be set then. */
  readonly secretKeys?: boolean
  readonly outbox?: Partial<OutboxOptions>
  readonly dataSource?: Partial<DataSourceOptions>
}

/** Every command that talks to a database has these, in the same words. */
export function addConnectionOptions(command: Command): Command {
  return command
    .optionsGroup('Connection:')
    .option('--database-url <url>', 'instead of DATABASE_URL; process lists show it, with its password')
    .option('--schema <name>', 'where the outbox’s tables are, if not on the search path')
}

/** Opens an outbox, never started, uses it, and closes all it has opened. Errors come out explained. */
export async function withOutbox<Result>(
  options: ConnectionOptions,
  use: (connected: Connected) => Promise<Result>,
  needs: Needs = {},
): Promise<Result> {
  const url = parseDatabaseUrl(options.databaseUrl)
  const secretKeys = secretKeysFor(needs)
  const { createOutbox, outboxIn, outboxEntities, outboxMigrations } = requireModule()
  const { resolveOptions } = require('../../options') as typeof Options
  const { DataSource } = require('typeorm') as typeof import('typeorm')
  const registered = options.schema
    ? outboxIn(options.schema)
    : { entities: [...outboxEntities], migrations: [...outboxMigrations] }
  const dataSource = new DataSource({
    type: 'postgres',
    url: url.href,
    applicationName: 'synap-outbox',
    connectTimeoutMS: 10_000,
    installExtensions: false,
    poolErrorHandler: () => {}, // the statement that needed the connection says so
    ...registered,
    ...needs.dataSource,
  } as DataSourceOptions)
  try {
    await dataSource.initialize()
    const outboxOptions = {
      dataSource,
      secretKeys,
      ...(options.schema && { schema: options.schema }),
      segment: segmentHost(),
      ...needs.outbox,
    }
    const outbox = createOutbox(outboxOptions) as unknown as Outbox
    return await use({ outbox, dataSource, resolved: resolveOptions(outboxOptions) })
  } catch (error) {
    throw explainDatabaseError(error, describeUrl(url))
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy()
  }
}

function segmentHost(): { host?: string } {
  const host = process.env.SEGMENT_HOST
  if (!host) return {}
  if (URL.canParse(host) && /^https?:$/.test(new URL(host).protocol)) return { host }
  throw new WrongUseError(
    'SEGMENT_HOST is not an origin.',
    '',
    'Set it to one such as https://api.segment.io, or unset it.',
  )
}

/** Only now: whoever asks for help needs neither TypeORM nor a driver. */
function requireModule(): typeof Module {
  requirePeers()
  return require('../../index')
}

function secretKeysFor({ secretKeys }: Needs): string {
  const given = process.env.OUTBOX_SECRET_KEYS
  if (given) return given
  if (secretKeys) {
    throw new WrongUseError(
      'OUTBOX_SECRET_KEYS is not set.',
      'This command reads the portals’ write keys, which are stored encrypted.',
      'Set it as the application has it.',
    )
  }
  // An outbox wants keys. This one neither encrypts nor decrypts, so it gets some that fit nothing.
  return `none:${randomBytes(32).toString('base64')}`
}
