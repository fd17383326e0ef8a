import type { Command } from 'commander'
import type { SourceState } from '../operate/inspect/types'
import { moment } from '../operate/inspect/words'
import { safe } from './output/safe-text'
import { Screen } from './output/screen'
import { countOfSource, relative } from './output/words'
import { addRotateSecrets } from './rotate-secrets'
import { databaseCommand, exits, type OutputOptions } from './shared/command'
import { type ConnectionOptions, withOutbox } from './shared/connection'
import { ExitCode } from './shared/exit-codes'
import { findSources, isTroubled } from './shared/find-source'
import { sourceCommands } from './shared/next-commands'
import { wholeNumber } from './shared/numbers'
import { printSources } from './shared/source-table'
import { HEALTH_TONES } from './shared/tones'
import { addSourceChanges } from './source-changes'

interface Options extends ConnectionOptions, OutputOptions {
  limit: number
}

export function addSources(program: Command): void {
  const sources = program
    .command('sources')
    .description('The portals’ Segment integrations: list them, look at one, pause, resume, retry, disable.')
    .helpCommand(false)
    .addHelpText(
      'after',
      '\nExamples:\n  $ synap-outbox sources\n  $ synap-outbox sources meridian\n  $ synap-outbox sources pause meridian',
    )
  databaseCommand(
    sources,
    'list',
    {
      isDefault: true,
      description: 'List sources, those in the most trouble first, or say all that is known of one portal’s.',
      examples: ['sources', 'sources meridian', 'sources --json | jq -r .sources[].health'],
      attention: 'one of those listed is refused, failing or behind',
    },
    (command) =>
      command
        .argument('[portal]', 'a portal’s id, or a source’s')
        .option('--limit <number>', 'at most this many, up to 1000', wholeNumber(1, 1000), 100),
  ).action(exits(list))
  addSourceChanges(sources)
  addRotateSecrets(sources)
}

async function list(portal: string | undefined, options: Options): Promise<ExitCode> {
  const screen = new Screen()
  const sources = await withOutbox(options, ({ outbox }) =>
    portal === undefined
      ? outbox.inspect.sources({ limit: options.limit })
      : findSources(outbox.inspect, portal),
  )
  if (options.json) screen.printJson({ sources })
  else if (sources.length === 0) screen.say('No portal is connected.')
  else if (portal === undefined) printSources(screen, sources, new Date())
  else for (const source of sources) printSource(screen, source, new Date())
  return sources.some(isTroubled) ? ExitCode.ATTENTION : ExitCode.FINE
}

function printSource(screen: Screen, source: SourceState, now: Date): void {
  const { portalId, health, summary, remedy } = source
  screen.print(screen.wrap(`Portal ${safe(portalId)}: ${screen.paint(HEALTH_TONES[health], health)}`))
  screen.print()
  screen.print(screen.wrap(safe(summary), 2))
  if (remedy !== null) screen.print(screen.wrap(`${screen.paint('strong', 'Next:')} ${safe(remedy)}`, 2))
  for (const command of sourceCommands(source)) screen.print(`    ${safe(command)}`)
  screen.print()
  for (const [name, text] of facts(source, now)) {
    screen.print(screen.wrap(`  ${screen.paint('dim', name.padEnd(12))} ${safe(text)}`, 0, 15))
  }
}

function facts(source: SourceState, now: Date): [name: string, text: string][] {
  const ago = (at: Date | null) => (at ? `${moment(at)} (${relative(at, now)})` : 'never')
  const { verification, verifiedAt, writeKeyLastFour, region, detailedEvents, leaseOwner } = source
  return [
    ['source', source.sourceId],
    ['status', source.status],
    [
      'write key',
      `ends in ${writeKeyLastFour}, ${verification}${verifiedAt ? `, verified ${relative(verifiedAt, now)}` : ''}`,
    ],
    ['region', `${region}${detailedEvents ? ', Detailed Event Tracking on' : ''}`],
    [
      'messages',
      `${countOfSource(source.pending)} waiting, ${countOfSource(source.dead)} dead, ${countOfSource(source.uncertain)} uncertain`,
    ],
    ['delivered', ago(source.lastDeliveredAt)],
    ['failed', `${ago(source.lastFailedAt)}${source.lastError === null ? '' : `: ${source.lastError}`}`],
    ...(source.resumeAt && source.resumeAt > now
      ? [['rests', `until ${ago(source.resumeAt)}`] as [string, string]]
      : []),
    ...(leaseOwner === null ? [] : [['lease', `held by ${leaseOwner}`] as [string, string]]),
  ]
}
