import type { Command } from 'commander'
import type { SourceState } from '../operate/inspect/types'
import type { Responsibility } from '../operate/selection'
import type { Outbox } from '../outbox'
import { safe } from './output/safe-text'
import { Screen } from './output/screen'
import { counted } from './output/words'
import {
  addResponsibilityOptions,
  checkAuditedApproval,
  confirm,
  type ResponsibilityOptions,
  responsibilityOf,
} from './shared/approval'
import { databaseCommand, exits, type OutputOptions } from './shared/command'
import { type ConnectionOptions, withOutbox } from './shared/connection'
import { findSource } from './shared/find-source'

type Options = ConnectionOptions & OutputOptions & ResponsibilityOptions

interface SourceChange {
  readonly name: 'pause' | 'resume' | 'retry' | 'disable'
  readonly description: string
  /** As a question needs it: `Pause`. */
  readonly deed: string
  readonly perform: (outbox: Outbox, sourceId: string, by: Responsibility) => Promise<unknown>
}

const CHANGES: readonly SourceChange[] = [
  {
    name: 'pause',
    description: 'Hold what waits and what is recorded from now on.',
    deed: 'Pause',
    perform: (outbox, sourceId, by) => outbox.sources.pause(sourceId, by),
  },
  {
    name: 'resume',
    description: 'Send again, from now. Also enables a disabled source.',
    deed: 'Resume',
    perform: (outbox, sourceId, by) => outbox.sources.resume(sourceId, by),
  },
  {
    name: 'retry',
    description: 'End the pause after a failure: try again at once.',
    deed: 'Retry',
    perform: (outbox, sourceId, by) => outbox.sources.retryNow(sourceId, by),
  },
  {
    name: 'disable',
    description: 'Record nothing new. What waits is held until the source is resumed or it is discarded.',
    deed: 'Disable',
    perform: (outbox, sourceId, by) => outbox.sources.disable(sourceId, by),
  },
]

export function addSourceChanges(sources: Command): void {
  for (const change of CHANGES) {
    databaseCommand(
      sources,
      change.name,
      {
        description: change.description,
        examples: [`sources ${change.name} meridian --reason INC-42`],
      },
      (command) => addResponsibilityOptions(command.argument('<portal>', 'the portal’s id, or the source’s')),
    ).action(exits((portal: string, options: Options) => changeSource(change, portal, options)))
  }
}

async function changeSource(
  { deed, perform }: SourceChange,
  portal: string,
  options: Options,
): Promise<undefined> {
  const screen = new Screen()
  const dryRun = options.dryRun === true
  checkAuditedApproval(options)
  await withOutbox(options, async ({ outbox }) => {
    const before = await findSource(outbox.inspect, portal)
    const what = `${deed} the source of ${safe(before.portalId)} (${counted(before.pending, 'message')} waiting)`
    if (dryRun) {
      if (options.json) screen.printJson({ dryRun, before, after: null })
      else screen.print(`Dry run: ${what}. Nothing was changed.`)
      return
    }
    await confirm(`${what}?`, options)
    const by = await responsibilityOf(options)
    await perform(outbox, before.sourceId, by)
    const after = await findSource(outbox.inspect, before.sourceId)
    if (options.json) screen.printJson({ dryRun, before, after })
    else screen.print(`${safe(after.portalId)} is ${stateOf(after)} now.`)
  })
}

function stateOf({ status, health }: SourceState): string {
  return status === 'enabled' && health !== 'healthy' ? `${status}, ${health}` : status
}
