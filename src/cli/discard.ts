import type { Command } from 'commander'
import { counted } from './output/words'
import { addResponsibilityOptions } from './shared/approval'
import { type ChangeOptions, changeMessages } from './shared/change'
import { databaseCommand, exits } from './shared/command'
import { addSelectionOptions, type SelectionOptions, selectionOf } from './shared/selection-options'

export function addDiscard(program: Command): void {
  databaseCommand(
    program,
    'discard',
    {
      description:
        'Give messages up: dead, uncertain, and pending ones that Segment cannot have. Never delivered ones.',
      summary: 'Give messages up.',
      examples: [
        "discard --portal meridian --status dead --to 30d --reason 'older than the report' --dry-run",
        "discard --id 0198c3f2-7d1e-7a3b-9c55-1f2e3d4c5b6a --reason 'test data' --yes",
      ],
    },
    (command) => addResponsibilityOptions(addSelectionOptions(command)),
  ).action(
    exits((options: SelectionOptions & ChangeOptions) => {
      const selection = selectionOf(options)
      return changeMessages(
        {
          selection,
          label: 'Discarding',
          intend: ({ refused, inDoubt, diverted, pending }) => {
            const failed = refused + inDoubt + diverted
            return {
              messages: failed + pending,
              deed: `Discard ${[
                ...(failed > 0 || pending === 0 ? [counted(failed, 'dead or uncertain message')] : []),
                ...(pending > 0 ? [counted(pending, 'pending message')] : []),
              ].join(' and ')}`,
              leaves: [],
            }
          },
          perform: (outbox, by) => outbox.discard(selection, by),
          tell: ({ discarded }) => `${counted(discarded, 'message is', 'messages are')} discarded.`,
        },
        options,
      )
    }),
  )
}
