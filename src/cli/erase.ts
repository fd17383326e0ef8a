import type { Command } from 'commander'
import type { Person } from '../operate/erase'
import { count, counted } from './output/words'
import { addResponsibilityOptions } from './shared/approval'
import { type ChangeOptions, changeMessages } from './shared/change'
import { WrongUseError } from './shared/cli-error'
import { databaseCommand, exits } from './shared/command'

interface Options extends ChangeOptions {
  user?: string
  anonymous?: string
  portal?: string
}

export function addErase(program: Command): void {
  databaseCommand(
    program,
    'erase',
    {
      description:
        'Erase what was recorded of a person from all messages, whatever their state. Ids, times and counts stay; ' +
        'what was not delivered is discarded. Segment itself has a deletion request of its own for what it has.',
      summary: 'Erase what was recorded of a person.',
      examples: [
        'erase --user user-1 --dry-run',
        "erase --user user-1 --reason 'request of 2026-11-20' --yes",
        "erase --anonymous 5f2c1d --portal meridian --reason 'request of 2026-11-20'",
      ],
      attention: 'some messages were being sent all the while and still hold the data: repeat it',
    },
    (command) =>
      addResponsibilityOptions(
        command
          .optionsGroup('Who:')
          .option('--user <id>', 'the user with this Synap user ID')
          .option('--anonymous <id>', 'the visitor with this anonymous ID')
          .option('--portal <id>', 'in this portal only'),
      ),
  ).action(exits(erase))
}

async function erase(options: Options) {
  const person = personOf(options)
  return changeMessages(
    {
      selection: person,
      label: 'Erasing',
      evenIfNone: true, // that it was asked for is on record then, and earlier selections forget the person
      intend: ({ refused, inDoubt, diverted, pending, delivered, discarded }) => {
        const messages = refused + inDoubt + diverted + pending + delivered + discarded
        return { messages, deed: `Erase the data of ${counted(messages, 'message')} for good`, leaves: [] }
      },
      perform: (outbox, by) => outbox.erase(person, by),
      tell: ({ erased, auditEntries }) => {
        const all = Object.values(erased).reduce((sum, n) => sum + n, 0)
        const unsent = erased.pending + erased.dead + erased.uncertain
        return [
          `The data of ${counted(all, 'message')} is erased`,
          ...(unsent > 0 ? [`${count(unsent)} of them unsent and now discarded`] : []),
          ...(auditEntries > 0
            ? [`${counted(auditEntries, 'audit entry', 'audit entries')} forgot the person`]
            : []),
        ]
          .join('; ')
          .concat('.')
      },
      unfinished: ({ left }) =>
        left > 0
          ? `${counted(left, 'pending message still holds', 'pending messages still hold')} it: their source was being sent for. Repeat it.`
          : undefined,
    },
    options,
  )
}

function personOf({ user, anonymous, portal }: Options): Person {
  if ((user === undefined) === (anonymous === undefined)) {
    throw new WrongUseError(
      'It is not said whose data to erase.',
      'Erased data cannot be brought back.',
      'Pass --user or --anonymous, one of them.',
    )
  }
  const who = user === undefined ? { anonymousId: anonymous as string } : { userId: user }
  return portal === undefined ? who : { ...who, portalId: portal }
}
