import type { Command } from 'commander'
import { counted } from './output/words'
import { addResponsibilityOptions } from './shared/approval'
import { type ChangeOptions, changeMessages } from './shared/change'
import { WrongUseError } from './shared/cli-error'
import { databaseCommand, exits } from './shared/command'
import { addSelectionOptions, type SelectionOptions, selectionOf } from './shared/selection-options'

interface Options extends SelectionOptions {
  sendAgain?: boolean
  markDelivered?: boolean
}

export function addResolve(program: Command): void {
  databaseCommand(
    program,
    'resolve',
    {
      description:
        'Decide about messages that Segment may have already: the uncertain ones, and, where --id or --status ' +
        'says so, dead ones with an attempt whose outcome nobody knows.',
      summary: 'Decide about messages that Segment may have already.',
      examples: [
        'resolve --portal meridian --send-again --dry-run',
        "resolve --id 0198c3f2-7d1e-7a3b-9c55-1f2e3d4c5b6a --mark-delivered --reason 'seen in the warehouse'",
      ],
    },
    (command) =>
      addResponsibilityOptions(
        addSelectionOptions(
          command
            .optionsGroup('Decision:')
            .option('--send-again', 'send them again: those that Segment has come twice in the warehouse')
            .option('--mark-delivered', 'call them delivered: those that Segment has not are missing there'),
        ),
      ),
  ).action(
    exits((options: Options & ChangeOptions) => {
      const inDoubt = decisionOf(options)
      const selection = selectionOf(options)
      // A decision about doubt is not one about what Segment has refused: those have their own command.
      if (!selection.messageIds && !selection.status) selection.status = ['uncertain']
      return changeMessages(
        {
          selection,
          label: 'Resolving',
          intend: (preview) => ({
            messages: preview.inDoubt + preview.refused,
            deed: [
              inDoubt === 'send-again'
                ? `Send ${counted(preview.inDoubt, 'message')} in doubt again`
                : `Mark ${counted(preview.inDoubt, 'message')} in doubt as delivered`,
              ...(preview.refused > 0 ? [`send ${counted(preview.refused, 'refused one')} again`] : []),
            ].join(', and '),
            leaves: [],
          }),
          perform: (outbox, by) => outbox.redrive(selection, { ...by, inDoubt }),
          tell: ({ redriven, marked }) =>
            [
              ...(marked > 0 ? [`${counted(marked, 'message is', 'messages are')} marked delivered.`] : []),
              ...(redriven > 0 || marked === 0
                ? [`${counted(redriven, 'message is', 'messages are')} pending again.`]
                : []),
            ].join(' '),
        },
        options,
      )
    }),
  )
}

function decisionOf({ sendAgain, markDelivered }: Options): 'send-again' | 'mark-delivered' {
  if (sendAgain === markDelivered) {
    throw new WrongUseError(
      sendAgain ? 'Both decisions are given.' : 'No decision is given.',
      'Segment may have these messages already.',
      'Pass --send-again or --mark-delivered; a look into the portal’s warehouse tells which is right.',
    )
  }
  return sendAgain ? 'send-again' : 'mark-delivered'
}
