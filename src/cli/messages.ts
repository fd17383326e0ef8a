import type { Command } from 'commander'
import type { MessageStatus } from '../../entities'
import type { MessageFilter, MessageRow } from '../operate/inspect/types'
import { Screen } from './output/screen'
import { type Column, printTable } from './output/table'
import { relative } from './output/words'
import { databaseCommand, exits, type OutputOptions } from './shared/command'
import { type ConnectionOptions, withOutbox } from './shared/connection'
import { wholeNumber } from './shared/numbers'
import { addWhereOptions, statusOption, type WhereOptions } from './shared/selection-options'
import { STATUS_TONES } from './shared/tones'

interface Options extends ConnectionOptions, OutputOptions, WhereOptions {
  status?: MessageStatus
  limit: number
  after?: string
}

export function addMessages(program: Command): void {
  databaseCommand(
    program,
    'messages',
    {
      description: 'List messages, newest first.',
      examples: [
        'messages --portal meridian --from 2h',
        'messages --user user-1 --event "Submitted Test"',
        'messages --status dead --json | jq -r .messages[].messageId',
      ],
    },
    (command) =>
      addWhereOptions(command)
        .addOption(statusOption())
        .option('--limit <number>', 'at most this many, up to 500', wholeNumber(1, 500), 50)
        .option('--after <page>', 'the page after; the page before names it'),
  ).action(exits(messages))
}

async function messages(options: Options): Promise<undefined> {
  const screen = new Screen()
  const { portal, source, event, user, from, to, status, type, limit, after } = options
  const filter: MessageFilter = {
    ...(portal !== undefined && { portalId: portal }),
    ...(source !== undefined && { sourceId: source }),
    ...(event !== undefined && { event }),
    ...(user !== undefined && { who: user }),
    ...(status !== undefined && { status }),
    ...(type !== undefined && { type }),
    ...(from !== undefined && { recordedFrom: from }),
    ...(to !== undefined && { recordedTo: to }),
  }
  const page = await withOutbox(options, ({ outbox }) =>
    outbox.inspect.messages(filter, { limit, ...(after !== undefined && { after }) }),
  )
  if (options.json) {
    const { messages, next = null, partial } = page
    return void screen.printJson({ messages, next, partial })
  }
  if (page.messages.length === 0) screen.say(page.partial ? 'None so far.' : 'There are none.')
  else printTable(screen, columns(new Date()), page.messages)
  if (page.next !== undefined) screen.say(`\nThere may be more: repeat it with --after ${page.next}`)
}

function columns(now: Date): Column<MessageRow>[] {
  return [
    {
      title: 'Message',
      cell: ({ messageId }) => messageId,
      short: ({ messageId }) => messageId.slice(0, 13), // `why` takes it
      least: 13,
    },
    { title: 'Recorded', cell: ({ recordedAt }) => relative(recordedAt, now) },
    { title: 'Event', cell: ({ event, type }) => event ?? `(${type})`, least: 14 },
    { title: 'Status', cell: ({ status }) => status, tone: ({ status }) => STATUS_TONES[status] },
    { title: 'Who', cell: ({ who }) => who ?? '-', least: 10, dispensable: 1 },
    { title: 'Portal', cell: ({ portalId }) => portalId, least: 10, dispensable: 2 },
    { title: 'Reason', cell: ({ reason }) => reason ?? '', sentence: true },
  ]
}
