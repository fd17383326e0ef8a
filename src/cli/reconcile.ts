import type { Command } from 'commander'
import type { Outbox } from '../outbox'
import type { ReconcileOptions } from '../reconcile/reconcile'
import { type ReconcileReport, type SourceComparison, safeToSend } from '../reconcile/report'
import { safe } from './output/safe-text'
import { Screen } from './output/screen'
import { printTable } from './output/table'
import { count, counted } from './output/words'
import {
  addResponsibilityOptions,
  checkAuditedApproval,
  confirm,
  type ResponsibilityOptions,
  responsibilityOf,
} from './shared/approval'
import { WrongUseError } from './shared/cli-error'
import { databaseCommand, exits, type OutputOptions } from './shared/command'
import { type ConnectionOptions, withOutbox } from './shared/connection'
import { ExitCode } from './shared/exit-codes'
import { findSource } from './shared/find-source'
import { longWork } from './shared/long-work'
import { numberFrom } from './shared/numbers'
import { parseMoment } from './shared/times'
import { warehouseUrl } from './warehouses'

interface Options extends ConnectionOptions, OutputOptions, ResponsibilityOptions {
  portal?: string
  warehouseSchema?: string
  from?: Date
  to?: Date
  lagHours?: number
  unexpected: boolean
  days?: boolean
  sendAgain?: boolean
  sendAgainAll?: boolean
  resolve?: boolean
}

export function addReconcile(program: Command): void {
  databaseCommand(
    program,
    'reconcile',
    {
      description:
        'Compare what was delivered with the portals’ warehouses, by messageId: what is missing, and the likely cause. ' +
        'A 200 means queued; this tells what arrived. It may be stopped and run again at any time.',
      summary: 'Compare what was delivered with the portals’ warehouses.',
      examples: [
        'reconcile',
        'reconcile --portal meridian --from 2026-11-01 --to 2026-11-08 --days',
        "reconcile --portal meridian --send-again --reason 'INC-42: the write key was revoked' --yes",
      ],
      attention: 'something is missing, unexpected or doubled, or a warehouse could not be read',
    },
    (command) =>
      addResponsibilityOptions(
        command
          .option('--portal <id>', 'this portal or source only; default: all whose warehouse is known')
          .option(
            '--from <moment>',
            'delivered at this moment or later; default 7 days before --to',
            parseMoment,
          )
          .option('--to <moment>', 'delivered before it; default now', parseMoment)
          .option(
            '--lag-hours <hours>',
            'when a message has to have arrived; default as saved',
            numberFrom(0, 720),
          )
          .option('--warehouse-schema <name>', 'the warehouse in WAREHOUSE_URL instead of the saved one')
          .option('--no-unexpected', 'leave out looking for rows that were not sent from here')
          .option('--days', 'also show the counts by event and day')
          .optionsGroup('Change:')
          .option('--send-again', 'send missing messages again that Segment would drop if it had them')
          .option('--send-again-all', 'send also those again that may then be there twice')
          .option('--resolve', 'send uncertain messages again that are not in the warehouse'),
      ),
  ).action(exits(reconcile))
}

async function reconcile(options: Options): Promise<ExitCode> {
  const screen = new Screen()
  const changes = Boolean(options.sendAgain || options.sendAgainAll || options.resolve)
  if (changes) checkAuditedApproval(options)
  return withOutbox(
    options,
    async ({ outbox }) => {
      const asked = await comparisonOf(outbox, options)
      let report = await run('Comparing', outbox, asked)
      if (changes && !options.dryRun && toSend(report, options) > 0) {
        if (!options.json) print(screen, report, options)
        await confirm(`Send up to ${counted(toSend(report, options), 'message')} again?`, options)
        const by = await responsibilityOf(options)
        report = await run('Sending again', outbox, { ...asked, ...choicesOf(options), by })
        if (!options.json) {
          const sent = report.sources.reduce((sum, source) => sum + source.sentAgain, 0)
          screen.print(`${counted(sent, 'message is', 'messages are')} pending again.`)
        }
      } else if (!options.json) print(screen, report, options)
      if (options.json) screen.printJson(plain(report))
      return report.agrees ? ExitCode.FINE : ExitCode.ATTENTION
    },
    { secretKeys: true },
  )
}

async function comparisonOf(outbox: Outbox, options: Options): Promise<ReconcileOptions> {
  const { portal, warehouseSchema, from, to, lagHours, unexpected } = options
  const asked = { from, to, lagHours, unexpected }
  if (warehouseSchema !== undefined && portal === undefined) {
    throw new WrongUseError(
      '--warehouse-schema is given without --portal.',
      '',
      'Each source has a schema of its own.',
    )
  }
  if (portal === undefined) return asked
  const { sourceId } = await findSource(outbox.inspect, portal)
  if (warehouseSchema === undefined) return { ...asked, sourceId }
  return { ...asked, sourceId, warehouse: { url: warehouseUrl(), schema: warehouseSchema } }
}

async function run(label: string, outbox: Outbox, asked: ReconcileOptions): Promise<ReconcileReport> {
  const { report } = await longWork(label, 0, (progress) => outbox.reconcile({ ...asked, ...progress }))
  return report
}

function choicesOf({ sendAgain, sendAgainAll, resolve }: Options): Partial<ReconcileOptions> {
  const which = sendAgainAll ? 'all' : sendAgain ? 'inside-window' : undefined
  return { ...(which && { sendAgain: which }), ...(resolve && { resolve: true }) }
}

function toSend({ sources }: ReconcileReport, { sendAgain, sendAgainAll, resolve }: Options): number {
  return sources.reduce((sum, source) => {
    const missing = sendAgainAll ? source.missing : sendAgain ? safeToSend(source) : 0
    return sum + missing + (resolve ? source.absent : 0)
  }, 0)
}

function print(screen: Screen, { sources }: ReconcileReport, { days }: Options): void {
  const total = (what: 'confirmed' | 'missing' | 'awaited' | 'absent' | 'unexpected' | 'duplicated') => ({
    title: what,
    cell: (source: SourceComparison) => count(source[what]),
    right: true,
    ...(what === 'confirmed' || what === 'awaited'
      ? {}
      : { tone: (source: SourceComparison) => tone(source[what]) }),
  })
  printTable<SourceComparison>(
    screen,
    [
      { title: 'portal', cell: ({ portalId }) => portalId, least: 8 },
      total('confirmed'),
      total('missing'),
      total('awaited'),
      { ...total('absent'), dispensable: 1 },
      { ...total('unexpected'), dispensable: 2 },
      { ...total('duplicated'), dispensable: 3 },
    ],
    sources,
  )
  for (const source of sources) {
    printGaps(screen, source)
    if (days && source.days.length > 0) printDays(screen, source)
  }
}

function printGaps(screen: Screen, { portalId, gaps, absent, error }: SourceComparison): void {
  for (const { cause, event, messages, insideWindow, explanation, remedy, examples } of gaps) {
    screen.print()
    const what = `${safe(portalId)}: ${counted(messages, 'message')} ${event ? `of ${safe(event)} ` : ''}(${cause})`
    screen.print(screen.wrap(screen.paint(cause === 'not-loaded-yet' ? 'dim' : 'bad', what)))
    screen.print(screen.wrap(safe(explanation), 2))
    screen.print(screen.wrap(`${screen.paint('strong', 'Next:')} ${safe(remedy)}`, 2))
    if (cause !== 'not-loaded-yet')
      screen.print(`  ${count(insideWindow)} inside the dedup window; e.g. ${examples[0]}`)
  }
  if (absent > 0) {
    screen.print()
    const what = `${safe(portalId)}: ${counted(absent, 'uncertain message is', 'uncertain messages are')} not in the warehouse: safe to send again.`
    screen.print(screen.wrap(`${what} \`synap-outbox reconcile --resolve\``))
  }
  if (error) {
    screen.print()
    screen.print(screen.wrap(`${safe(portalId)}: ${screen.paint('bad', safe(error.message))}`))
  }
}

function printDays(screen: Screen, { days }: SourceComparison): void {
  screen.print()
  printTable(
    screen,
    [
      { title: 'day', cell: ({ day }) => day },
      { title: 'event', cell: ({ type, event }) => event ?? type, least: 12 },
      { title: 'confirmed', cell: ({ confirmed }) => count(confirmed), right: true },
      {
        title: 'missing',
        cell: ({ missing }) => count(missing),
        right: true,
        tone: ({ missing }) => tone(missing),
      },
      { title: 'awaited', cell: ({ awaited }) => count(awaited), right: true, dispensable: 1 },
      { title: 'unexpected', cell: ({ unexpected }) => count(unexpected), right: true, dispensable: 2 },
      { title: 'duplicated', cell: ({ duplicated }) => count(duplicated), right: true, dispensable: 3 },
    ],
    days,
  )
}

function tone(n: number): 'bad' | 'dim' {
  return n > 0 ? 'bad' : 'dim'
}

/** An error has no members of its own that JSON would show. */
function plain(report: ReconcileReport): object {
  const sources = report.sources.map(({ error, ...source }) => ({
    ...source,
    error: error ? { code: error.code, message: error.message } : null,
  }))
  return { ...report, sources }
}
