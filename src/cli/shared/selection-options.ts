import { type Command, InvalidArgumentError, Option } from 'commander'
import type { MessageStatus, MessageType } from '../../../entities'
import type { Selection } from '../../operate/selection'
import { WrongUseError } from './cli-error'
import { parseMoment } from './times'

export interface WhereOptions {
  portal?: string
  source?: string
  event?: string
  type?: MessageType
  user?: string
  from?: Date
  to?: Date
}

export interface SelectionOptions extends WhereOptions {
  id?: string[]
  status?: MessageStatus[]
  cause?: string
}

const STATUSES: readonly MessageStatus[] = ['pending', 'delivered', 'dead', 'uncertain', 'discarded']
const TYPES: readonly MessageType[] = ['track', 'identify', 'page', 'group']
const HEADING = 'Which messages (all that is given has to match):'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Which messages a change is for. */
export function addSelectionOptions(command: Command): Command {
  command.optionsGroup(HEADING).option('--id <messageId...>', 'these', collectIds)
  return addWhereOptions(command)
    .addOption(new Option('--status <status...>', 'in one of these states').choices(STATUSES))
    .option('--cause <reason>', 'with exactly this reason, as `dead --json` has it')
}

/** What listing messages and changing them have in common. */
export function addWhereOptions(command: Command): Command {
  return command
    .optionsGroup(HEADING)
    .option('--portal <id>', 'of this portal')
    .option('--source <sourceId>', 'of this source', parseUuid)
    .option('--event <name>', 'of this event')
    .addOption(new Option('--type <type>', 'of this type').choices(TYPES))
    .option('--user <id>', 'of this user')
    .option('--from <time>', 'recorded then or later: ISO 8601 (UTC), or an age such as 2h, 7d', parseMoment)
    .option('--to <time>', 'recorded before then', parseMoment)
}

export function statusOption(): Option {
  return new Option('--status <status>', 'in this state').choices(STATUSES)
}

export function selectionOf(options: SelectionOptions): Selection {
  const { id, portal, source, event, type, user, status, cause, from, to } = options
  const given: [keyof Selection, unknown][] = [
    ['messageIds', id],
    ['portalId', portal],
    ['sourceId', source],
    ['event', event],
    ['type', type],
    ['userId', user],
    ['status', status],
    ['reason', cause],
    ['recordedFrom', from],
    ['recordedTo', to],
  ]
  const selection = Object.fromEntries(given.filter(([, value]) => value !== undefined)) as Selection
  if (Object.keys(selection).length === 0) {
    throw new WrongUseError(
      'It is not said which messages.',
      'This never means all of them.',
      'Pass --id, --portal, --cause or another of the options that select; `synap-outbox dead` shows what there is.',
    )
  }
  return selection
}

export function isUuid(text: string): boolean {
  return UUID.test(text)
}

export function parseUuid(text: string): string {
  if (!isUuid(text)) throw new InvalidArgumentError('It has to be a full id, as --json and `why` print it.')
  return text.toLowerCase()
}

function collectIds(text: string, before: string[] = []): string[] {
  return [...before, parseUuid(text)]
}
