import type { Command } from 'commander'
import type { FailureGroup } from '../operate/inspect/types'
import { Screen } from './output/screen'
import { type Column, printTable } from './output/table'
import { count, relative } from './output/words'
import { databaseCommand, exits, type OutputOptions } from './shared/command'
import { type ConnectionOptions, withOutbox } from './shared/connection'
import { ExitCode } from './shared/exit-codes'
import { parseUuid } from './shared/selection-options'
import { STATUS_TONES } from './shared/tones'

interface Options extends ConnectionOptions, OutputOptions {
  portal?: string
  source?: string
}

export function addDead(program: Command): void {
  databaseCommand(
    program,
    'dead',
    {
      description: 'Dead and uncertain messages, grouped by cause, the most recent cause first.',
      examples: ['dead', 'dead --portal meridian', 'dead --json | jq .groups[].reason'],
      attention: 'there are some',
    },
    (command) =>
      command
        .option('--portal <id>', 'of this portal')
        .option('--source <sourceId>', 'of this source', parseUuid),
  ).action(exits(dead))
}

async function dead(options: Options): Promise<ExitCode> {
  const screen = new Screen()
  const { portal, source } = options
  const groups = await withOutbox(options, ({ outbox }) =>
    outbox.inspect.failures({
      ...(portal !== undefined && { portalId: portal }),
      ...(source !== undefined && { sourceId: source }),
    }),
  )
  if (options.json) screen.printJson({ groups })
  else if (groups.length === 0) screen.say('None is dead, and none uncertain.')
  else {
    printTable(screen, columns(new Date()), groups)
    screen.say(`\nWhy, and what to do: synap-outbox why ${groups[0]?.example}`)
    screen.say(
      screen.wrap(
        'Dead ones are sent again by `redrive`, uncertain ones wait for `resolve`; `discard` gives up.',
      ),
    )
  }
  return groups.length > 0 ? ExitCode.ATTENTION : ExitCode.FINE
}

function columns(now: Date): Column<FailureGroup>[] {
  return [
    { title: 'Messages', cell: ({ messages }) => count(messages), right: true },
    { title: 'State', cell: ({ status }) => status, tone: ({ status }) => STATUS_TONES[status] },
    { title: 'Event', cell: ({ event, type }) => event ?? `(${type})`, least: 12, dispensable: 2 },
    { title: 'Portal', cell: ({ portalId }) => portalId, least: 10, dispensable: 1 },
    { title: 'Last', cell: ({ lastAt }) => relative(lastAt, now), dispensable: 3 },
    { title: 'First', cell: ({ firstAt }) => relative(firstAt, now), dispensable: 4 },
    { title: 'Example', cell: ({ example }) => example, dispensable: 5 },
    { title: 'Cause', cell: ({ reason }) => reason, sentence: true },
  ]
}
