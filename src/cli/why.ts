import type { Command } from 'commander'
import type { MessageDetail, TimelineEntry } from '../operate/inspect/types'
import { duration, moment } from '../operate/inspect/words'
import { safe, safeJson } from './output/safe-text'
import { Screen } from './output/screen'
import { counted, relative } from './output/words'
import { CliError } from './shared/cli-error'
import { databaseCommand, exits, type OutputOptions } from './shared/command'
import { type ConnectionOptions, withOutbox } from './shared/connection'
import { findMessageId } from './shared/find-message'
import { messageCommands } from './shared/next-commands'
import { STATUS_TONES } from './shared/tones'

/** Columns of `+12 min 30 s`. */
const SINCE_WIDTH = 12
/** From this width on, the texts of the timeline are a column of their own. */
const ROOMY = 90

interface Options extends ConnectionOptions, OutputOptions {
  payload?: boolean
}

export function addWhy(program: Command): void {
  databaseCommand(
    program,
    'why',
    {
      description: 'What happened to a message, why it is in its state, and what to do now.',
      examples: ['why 0198c3f2-7d1e-7a3b-9c55-1f2e3d4c5b6a', 'why 0198c3f2 --payload'],
    },
    (command) =>
      command
        .argument('<id>', 'its messageId, or the first 8 digits or more')
        .option('--payload', 'also print the call as it is sent'),
  ).action(exits(why))
}

async function why(id: string, options: Options): Promise<undefined> {
  const screen = new Screen()
  const message = await withOutbox(options, async ({ outbox, dataSource }) => {
    const messageId = await findMessageId(dataSource, options.schema, id)
    return outbox.inspect.message(messageId)
  })
  if (message === undefined) throw new CliError('The message was pruned at this moment.', '', '')
  if (options.json) screen.printJson({ message, commands: messageCommands(message) })
  else print(screen, message, options.payload === true)
}

function print(screen: Screen, message: MessageDetail, payload: boolean): void {
  const { event, type, who, portalId, status, explanation, timeline } = message
  const title = `${event ?? type}${who === null ? '' : ` of ${who}`}, portal ${portalId}: `
  screen.print(screen.wrap(safe(title) + screen.paint(STATUS_TONES[status], status)))
  screen.print()
  screen.print(screen.wrap(safe(explanation.why), 2))
  screen.print(screen.wrap(`${screen.paint('strong', 'Next:')} ${safe(explanation.next)}`, 2))
  for (const command of messageCommands(message)) screen.print(`    ${safe(command)}`)
  heading(screen, 'Timeline (UTC)')
  for (const [i, entry] of timeline.entries()) screen.print(timelineLine(screen, entry, timeline[i - 1]))
  heading(screen, 'Message')
  for (const [name, text] of facts(message)) {
    screen.print(screen.wrap(`  ${screen.paint('dim', name.padEnd(10))} ${safe(text)}`, 0, 13))
  }
  if (!payload) return
  heading(screen, 'Payload')
  screen.print(safeJson(message.body))
}

function heading(screen: Screen, text: string): void {
  screen.print(`\n${screen.paint('strong', text)}`)
}

/** The day where it is another than before, the time, and how long after the entry before it was. */
function timelineLine(screen: Screen, { at, text }: TimelineEntry, before?: TimelineEntry): string {
  const [day = '', time = ''] = at.toISOString().slice(0, 23).split('T')
  const sameDay = before?.at.toISOString().startsWith(day)
  const since = before ? `+${duration(Math.max(at.getTime() - before.at.getTime(), 0))}` : ''
  const when = `${sameDay ? ' '.repeat(day.length) : day} ${time}  ${since.padStart(SINCE_WIDTH)}`
  const indent = screen.width !== undefined && screen.width < ROOMY ? 4 : when.length + 4
  return screen.wrap(`  ${screen.paint('dim', when)}  ${safe(text)}`, 0, indent)
}

function facts(message: MessageDetail): [name: string, text: string][] {
  const { messageId, sourceId, source, batch, recordedAt, occurredAt, wireBytes, schemaHash, traceParent } =
    message
  const optional: [string, string | null | undefined][] = [
    ['source', source ? `${sourceId} (${source.health})` : `${sourceId} (gone)`],
    [
      'batch',
      batch &&
        `${batch.batchId}, ${counted(batch.messages, 'message')}, ${counted(batch.attemptCount, 'attempt')}`,
    ],
    ['trace', traceParent],
    ['schema', schemaHash],
  ]
  return [
    ['id', messageId],
    ['recorded', `${moment(recordedAt)} (${relative(recordedAt, new Date())})`],
    ['occurred', moment(occurredAt)],
    ['size', `${wireBytes.toLocaleString('en')} bytes on the wire`],
    ...optional.flatMap(([name, text]) => (text ? [[name, text] as [string, string]] : [])),
  ]
}
