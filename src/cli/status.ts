import type { Command } from 'commander'
import type { Overview, SourceState } from '../operate/inspect/types'
import { duration } from '../operate/inspect/words'
import { safe } from './output/safe-text'
import { Screen } from './output/screen'
import { count, counted, relative } from './output/words'
import { databaseCommand, exits, type OutputOptions } from './shared/command'
import { type ConnectionOptions, withOutbox } from './shared/connection'
import { ExitCode } from './shared/exit-codes'
import { isTroubled } from './shared/find-source'
import { printSources } from './shared/source-table'

/** Sources in trouble that are listed; `sources` lists the others. */
const LISTED = 10

export function addStatus(program: Command): void {
  databaseCommand(program, 'status', {
    description: 'How the outbox is doing: backlog, lag, failures, sources in trouble, dispatchers.',
    examples: ['status', 'status --json | jq .overview.lagMs'],
    attention:
      'messages are dead or uncertain, a source is in trouble, or messages wait and nobody sends them',
  }).action(exits(status))
}

async function status(options: ConnectionOptions & OutputOptions): Promise<ExitCode> {
  const screen = new Screen()
  const [overview, sources] = await withOutbox(options, ({ outbox }) =>
    Promise.all([outbox.inspect.overview(), outbox.inspect.sources({ limit: LISTED })]),
  )
  const troubled = sources.filter(isTroubled)
  const attention = problemsOf(overview, troubled)
  if (options.json) screen.printJson({ overview, troubled, attention })
  else {
    print(screen, overview)
    if (troubled.length > 0) {
      screen.print()
      printSources(screen, troubled, overview.at)
    }
    screen.print()
    if (attention.length === 0) screen.print(screen.paint('good', 'All is well.'))
    for (const sentence of attention)
      screen.print(screen.wrap(`${screen.paint('bad', '!')} ${safe(sentence)}`, 0, 2))
  }
  return attention.length > 0 ? ExitCode.ATTENTION : ExitCode.FINE
}

/** What wants somebody's attention, each with the command to go on with. */
function problemsOf(overview: Overview, troubled: readonly SourceState[]): string[] {
  const { pending, dead, uncertain, dispatchers, lagMs } = overview
  const problems: string[] = []
  if (lagMs !== null && pending > 0 && !dispatchers.some(({ alive }) => alive)) {
    problems.push('Messages wait and no dispatcher is alive: start the application, or `synap-outbox drain`.')
  }
  if (troubled.length > 0) {
    const how = counted(troubled.length, 'source is', 'sources are')
    problems.push(`${how} in trouble: \`synap-outbox sources ${troubled[0]?.portalId}\` says what to do.`)
  }
  if (dead + uncertain > 0) {
    problems.push(
      `${counted(dead, 'message is', 'messages are')} dead and ${count(uncertain)} uncertain: \`synap-outbox dead\` groups them by cause.`,
    )
  }
  return problems
}

function print(screen: Screen, overview: Overview): void {
  const { at, pending, lagMs, dead, uncertain, discarded, deliveredEstimate, sources, dispatchers } = overview
  const alive = dispatchers.filter((dispatcher) => dispatcher.alive)
  const ticked = alive.map(({ lastTickAt }) => lastTickAt).sort((a, b) => b.getTime() - a.getTime())[0]
  const leases = alive.reduce((sum, dispatcher) => sum + dispatcher.leases, 0)
  const waiting = lagMs === null ? '' : `, the oldest for ${duration(lagMs)}`
  const facts: [name: string, text: string][] = [
    ['Waiting', `${counted(pending, 'message')}${waiting}`],
    ['Failed', `${count(dead)} dead, ${count(uncertain)} uncertain`],
    ['Kept', `about ${count(deliveredEstimate)} delivered, ${count(discarded)} discarded`],
    ['Sources', `${sources.enabled} enabled, ${sources.paused} paused, ${sources.disabled} disabled`],
    [
      'Dispatchers',
      ticked
        ? `${alive.length} alive, last tick ${relative(ticked, at)}, ${counted(leases, 'lease')} held`
        : 'none alive',
    ],
  ]
  for (const [name, text] of facts) {
    screen.print(screen.wrap(`${screen.paint('dim', name.padEnd(13))}${text}`, 0, 13))
  }
}
