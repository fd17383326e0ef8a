import type { Progress } from '../../operate/audited-change'
import type { Preview } from '../../operate/inspect/types'
import type { Responsibility, Selection } from '../../operate/selection'
import type { Outbox } from '../../outbox'
import { Screen } from '../output/screen'
import { checkAuditedApproval, confirm, type ResponsibilityOptions, responsibilityOf } from './approval'
import type { OutputOptions } from './command'
import { type ConnectionOptions, withOutbox } from './connection'
import { ExitCode } from './exit-codes'
import { longWork } from './long-work'

export type ChangeOptions = ConnectionOptions & OutputOptions & ResponsibilityOptions

/** What a change of messages would do, in words. */
export interface Intent {
  /** Messages it would change. */
  readonly messages: number
  /** `Send 12 messages again`: a question with a question mark, a plan without. */
  readonly deed: string
  /** What it would leave alone, and why. */
  readonly leaves: readonly string[]
}

export interface Change<Report> {
  readonly selection: Selection
  /** Of the progress bar. */
  readonly label: string
  intend(preview: Preview): Intent
  perform(outbox: Outbox, options: Responsibility & Progress): Promise<Report>
  /** What it did, as a sentence. */
  tell(report: Report): string
  /** What it should have done and could not, as a sentence. */
  unfinished?(report: Report): string | undefined
  /** Whether there is something to do also where no message is found. */
  readonly evenIfNone?: boolean
}

/** The way of every command that changes messages: look, say what it would do, ask, do it, tell what it did. */
export async function changeMessages<Report>(
  change: Change<Report>,
  options: ChangeOptions,
): Promise<ExitCode> {
  const screen = new Screen()
  const { selection } = change
  const dryRun = options.dryRun === true
  checkAuditedApproval(options)
  return withOutbox(options, async ({ outbox }) => {
    const preview = await outbox.inspect.preview(selection)
    const { messages, deed, leaves } = change.intend(preview)
    const finished = leaves.length > 0 ? ExitCode.ATTENTION : ExitCode.FINE
    const print =
      dryRun && !options.json ? (text: string) => screen.print(text) : (text: string) => screen.say(text)
    for (const sentence of leaves) print(screen.wrap(sentence))
    if (dryRun || (messages === 0 && !change.evenIfNone)) {
      if (options.json) screen.printJson({ dryRun, selection, preview, report: null })
      else print(messages === 0 ? 'There is nothing to change.' : `Dry run: ${deed}. Nothing was changed.`)
      return finished
    }
    await confirm(`${deed}?`, options)
    const by = await responsibilityOf(options)
    const { report, stopped } = await longWork(change.label, messages, (progress) =>
      change.perform(outbox, { ...by, ...progress }),
    )
    if (options.json) screen.printJson({ dryRun, selection, preview, report })
    else screen.print(change.tell(report))
    if (stopped) {
      screen.say('Stopped before its end: what is done is in the audit trail. Repeat it for the rest.')
      return ExitCode.FAILED
    }
    const unfinished = change.unfinished?.(report)
    if (unfinished !== undefined) {
      screen.say(unfinished)
      return ExitCode.ATTENTION
    }
    return finished
  })
}
