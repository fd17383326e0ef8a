import type { Command } from 'commander'
import { counted } from './output/words'
import { addResponsibilityOptions } from './shared/approval'
import { type ChangeOptions, changeMessages } from './shared/change'
import { databaseCommand, exits } from './shared/command'
import { addSelectionOptions, type SelectionOptions, selectionOf } from './shared/selection-options'

export function addRedrive(program: Command): void {
  databaseCommand(
    program,
    'redrive',
    {
      description:
        'Send dead messages again, under their old ids. Those that Segment may have are left alone: see resolve.',
      summary: 'Send dead messages again, under their old ids.',
      examples: [
        "redrive --portal meridian --reason 'INC-42: the proxy refused every batch' --dry-run",
        `redrive --cause "$(synap-outbox dead --json | jq -r .groups[0].reason)" --reason INC-42 --yes`,
      ],
      attention: 'some of the selected were left alone: they are in doubt, or could never be sent',
    },
    (command) => addResponsibilityOptions(addSelectionOptions(command)),
  ).action(
    exits((options: SelectionOptions & ChangeOptions) => {
      const selection = selectionOf(options)
      return changeMessages(
        {
          selection,
          label: 'Sending again',
          intend: ({ refused, inDoubt, diverted }) => ({
            messages: refused,
            deed: `Send ${counted(refused, 'message')} again`,
            leaves: [
              ...(inDoubt > 0
                ? [
                    `${counted(inDoubt, 'message is', 'messages are')} in doubt and left alone: \`synap-outbox resolve\`.`,
                  ]
                : []),
              ...(diverted > 0
                ? [
                    `${counted(diverted, 'message', 'messages')} could never be sent: record corrected calls, and \`synap-outbox discard\` these.`,
                  ]
                : []),
            ],
          }),
          perform: (outbox, by) => outbox.redrive(selection, by),
          tell: ({ redriven }) => `${counted(redriven, 'message is', 'messages are')} pending again.`,
        },
        options,
      )
    }),
  )
}
