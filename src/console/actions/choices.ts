import type { Progress } from '../../operate/audited-change'
import type { Preview } from '../../operate/inspect/types'
import type { Responsibility, Selection } from '../../operate/selection'
import type { ConsoleOutbox } from '../options'
import { count, counted } from '../view/words'

/** One thing that can be done with the messages of a selection. */
export interface Choice {
  readonly name: 'send-again' | 'send-again-all' | 'mark-delivered' | 'discard'
  readonly title: string
  /** How many messages it would change. */
  readonly reach: (found: Preview) => number
  /** What it does, and what may come of it. */
  readonly means: (found: Preview) => string
  /** Returns in words what it came to. */
  readonly run: (
    outbox: ConsoleOutbox,
    selection: Selection,
    by: Responsibility,
    progress: Progress,
  ) => Promise<string>
}

const also = (found: Preview) =>
  found.refused > 0 ? ` The ${counted(found.refused, 'refused message')} are sent again too.` : ''

export const choices: readonly Choice[] = [
  {
    name: 'send-again',
    title: 'Send again what Segment refused',
    reach: ({ refused }) => refused,
    means: ({ refused, inDoubt }) =>
      `${counted(refused, 'message')}, known never to have been accepted: no event can be doubled. They go behind what waits, under their old ids.${
        inDoubt > 0 ? ` The ${count(inDoubt)} in doubt are left as they are.` : ''
      }`,
    run: (outbox, selection, by, progress) => redrive(outbox, selection, by, progress),
  },
  {
    name: 'send-again-all',
    title: 'Send again, those in doubt too',
    reach: ({ refused, inDoubt }) => (inDoubt > 0 ? refused + inDoubt : 0),
    means: (found) =>
      `Choose this where a gap is worse than a double. Segment may have ${counted(found.inDoubt, 'of these messages', 'of these messages')} already and may have forgotten their ids: each of them may then be in the portal’s warehouse twice.${also(found)}`,
    run: (outbox, selection, by, progress) =>
      redrive(outbox, selection, { ...by, inDoubt: 'send-again' }, progress),
  },
  {
    name: 'mark-delivered',
    title: 'Mark those in doubt as delivered',
    reach: ({ refused, inDoubt }) => (inDoubt > 0 ? refused + inDoubt : 0),
    means: (found) =>
      `Choose this where a double is worse than a gap, or where you have seen them in Segment. ${counted(found.inDoubt, 'message')} will not be sent again: those that never arrived are missing for good.${also(found)}`,
    run: (outbox, selection, by, progress) =>
      redrive(outbox, selection, { ...by, inDoubt: 'mark-delivered' }, progress),
  },
  {
    name: 'discard',
    title: 'Discard',
    reach: ({ refused, inDoubt, diverted, pending }) => refused + inDoubt + diverted + pending,
    means: ({ pending }) =>
      `They are given up and never sent: a gap in the portal’s warehouse that nothing fills.${
        pending > 0
          ? ` ${counted(pending, 'pending message')} among them, but for those that are on their way at this moment.`
          : ''
      } The rows stay for the retention time.`,
    async run(outbox, selection, by, progress) {
      const { discarded } = await outbox.discard(selection, { ...by, ...progress })
      return `${counted(discarded, 'message')} discarded.`
    },
  },
]

async function redrive(
  outbox: ConsoleOutbox,
  selection: Selection,
  by: Parameters<ConsoleOutbox['redrive']>[1],
  progress: Progress,
): Promise<string> {
  const { redriven, marked } = await outbox.redrive(selection, { ...by, ...progress })
  const parts = [
    by.inDoubt === 'mark-delivered' ? `${counted(marked, 'message')} marked delivered` : undefined,
    redriven > 0 || by.inDoubt !== 'mark-delivered'
      ? `${counted(redriven, 'message')} queued to be sent again`
      : undefined,
  ]
  return `${parts.filter(Boolean).join(', ')}.`
}
