import type { Command } from 'commander'
import type { AuditEntry } from '../operate/inspect/types'
import { Screen } from './output/screen'
import { type Column, printTable } from './output/table'
import { count, relative } from './output/words'
import { databaseCommand, exits, type OutputOptions } from './shared/command'
import { type ConnectionOptions, withOutbox } from './shared/connection'
import { wholeNumber } from './shared/numbers'
import { parseUuid } from './shared/selection-options'

interface Options extends ConnectionOptions, OutputOptions {
  source?: string
  limit: number
  before?: number
}

export function addAudit(program: Command): void {
  databaseCommand(
    program,
    'audit',
    {
      description: 'What people did to messages and sources, newest first.',
      examples: ['audit', 'audit --limit 10 --json | jq -r .entries[].actor'],
    },
    (command) =>
      command
        .option('--source <sourceId>', 'to this source', parseUuid)
        .option('--limit <number>', 'at most this many, up to 500', wholeNumber(1, 500), 50)
        .option('--before <entry>', 'older than this entry', wholeNumber(1, 999_999_999)),
  ).action(exits(audit))
}

async function audit(options: Options): Promise<undefined> {
  const screen = new Screen()
  const { source, limit, before } = options
  const entries = await withOutbox(options, ({ outbox }) =>
    outbox.inspect.audit({
      limit,
      ...(source !== undefined && { sourceId: source }),
      ...(before !== undefined && { before: `${before}` }),
    }),
  )
  if (options.json) return void screen.printJson({ entries })
  if (entries.length === 0) return void screen.say('There are no entries.')
  printTable(screen, columns(new Date()), entries)
}

function columns(now: Date): Column<AuditEntry>[] {
  return [
    { title: 'Entry', cell: ({ auditId }) => auditId, right: true, dispensable: 2 },
    { title: 'When', cell: ({ at }) => relative(at, now) },
    { title: 'Who', cell: ({ actor }) => actor, least: 8 },
    { title: 'Did', cell: ({ action }) => action },
    { title: 'Messages', cell: ({ messages }) => count(messages), right: true },
    { title: 'Selection', cell: ({ selection }) => JSON.stringify(selection), least: 24, dispensable: 1 },
    { title: 'Why', cell: ({ reason }) => reason, sentence: true },
  ]
}
