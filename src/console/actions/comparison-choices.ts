import type { ReconcileOptions } from '../../reconcile/reconcile'
import { type SourceComparison, safeToSend } from '../../reconcile/report'
import { counted } from '../view/words'

/** One thing that can be done about what is not in a warehouse. */
export interface ComparisonChoice {
  readonly name: 'inside-window' | 'all' | 'resolve'
  readonly title: string
  /** How many messages it would send again. */
  readonly reach: (found: SourceComparison) => number
  /** What may come of it. */
  readonly means: (found: SourceComparison) => string
  readonly options: Pick<ReconcileOptions, 'sendAgain' | 'resolve'>
}

export const comparisonChoices: readonly ComparisonChoice[] = [
  {
    name: 'inside-window',
    title: 'Send again what cannot be doubled',
    reach: safeToSend,
    means: ({ gaps }) =>
      `Missing messages whose first send is inside the dedup window, under their old ids: if Segment had them after all, it drops the second.${
        gaps.some(({ cause }) => cause === 'plan-block')
          ? ' What Protocols blocked has used up its ids, and is dropped too until the window is over.'
          : ''
      }`,
    options: { sendAgain: 'inside-window' },
  },
  {
    name: 'all',
    title: 'Send again all that is missing',
    reach: (found) => (found.missing > safeToSend(found) ? found.missing : 0),
    means: (found) =>
      `Choose this where a gap is worse than a double. Segment may have forgotten the ids of ${counted(found.missing - safeToSend(found), 'of these messages', 'of these messages')}: if it kept them, or another destination of the portal did, they are there twice afterwards.`,
    options: { sendAgain: 'all' },
  },
  {
    name: 'resolve',
    title: 'Send again the uncertain ones that did not arrive',
    reach: ({ absent }) => absent,
    means: () =>
      'Nobody knew whether Segment had them. They are not in the warehouse, which has younger rows: safe to send again, under their old ids.',
    options: { resolve: true },
  },
]
