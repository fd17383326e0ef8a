import type { Command } from 'commander'
import type { DataSource } from 'typeorm'
import type { BackfillProgress, BackfillReport, Backfills, ReadFacts } from '../operate/backfill/types'
import { moment } from '../operate/inspect/words'
import type { Outbox } from '../outbox'
import type { Plan } from '../plan/define-plan'
import { safe } from './output/safe-text'
import { Screen } from './output/screen'
import { count, counted } from './output/words'
import { WrongUseError } from './shared/cli-error'
import { closing, exits, type OutputOptions } from './shared/command'
import { explainDatabaseError } from './shared/database-errors'
import { ExitCode } from './shared/exit-codes'
import { loadExport } from './shared/load-export'
import { wholeNumber } from './shared/numbers'
import { stopSignal } from './shared/signals'
import { parseMoment } from './shared/times'

interface Options extends OutputOptions {
  app: string
  portal: string
  from?: Date
  to?: Date
  rate?: number
}

/** What the application's module exports. */
interface App {
  readonly outbox: Outbox<Plan>
  readonly dataSource: DataSource
  readonly backfills: Backfills<Plan>
}

/** Milliseconds between two lines about the progress. */
const LINE_MS = 1000

export function addBackfill(program: Command): void {
  program
    .command('backfill')
    .description(
      'Record the history of events for a portal that has just connected, from the application’s own tables. ' +
        'Stopped at any moment, the same command goes on where it was. Running dispatchers send what it records.',
    )
    .summary('Record a portal’s history, from before it was connected.')
    .argument('<event...>', 'the events, one after the other')
    .requiredOption('--app <module>', 'your module that exports outbox, dataSource and backfills')
    .requiredOption('--portal <id>', 'the portal whose history it is')
    .option('--from <moment>', 'facts at this moment or later; default the beginning', parseMoment)
    .option('--to <moment>', 'facts before it; default, and latest, when it was connected', parseMoment)
    .option('--rate <number>', 'facts a second (default 500)', wholeNumber(1, 10_000))
    .option('--json', 'one JSON document, for scripts')
    .addHelpText(
      'after',
      closing({
        examples: [
          `backfill 'Began Test' 'Submitted Test' --app ./dist/outbox.js --portal meridian`,
          `backfill 'Began Test' --app ./dist/outbox.js --portal meridian --from 2024-01-01 --rate 100`,
        ],
        attention: 'it was stopped before its end',
      }),
    )
    .action(exits(backfill))
}

async function backfill(events: readonly string[], options: Options): Promise<ExitCode> {
  const screen = new Screen()
  const app = await loadApp(options.app)
  for (const event of events) readerOf(app, event) // all of them, before the first begins
  const stop = stopSignal()
  const ends = new AbortController()
  void stop.told.then(() => ends.abort())
  const opened = !app.dataSource.isInitialized
  try {
    if (opened) await app.dataSource.initialize()
    const reports: BackfillReport[] = []
    for (const event of events) {
      const report = await backfillOne(screen, app, event, options, ends.signal)
      reports.push(report)
      if (!report.finished) break
    }
    if (options.json) screen.printJson({ reports })
    return reports.every((report) => report.finished) ? ExitCode.FINE : ExitCode.ATTENTION
  } catch (error) {
    throw explainDatabaseError(error, 'the application’s database')
  } finally {
    stop.forget()
    if (opened && app.dataSource.isInitialized) await app.dataSource.destroy()
  }
}

async function backfillOne(
  screen: Screen,
  app: App,
  event: string,
  { portal, from, to, rate, json }: Options,
  signal: AbortSignal,
): Promise<BackfillReport> {
  const onProgress = everySecond((progress) => screen.say(line(progress)))
  const range = { portalId: portal, from, to, rate }
  const report = await app.outbox.backfill(event, readerOf(app, event), { ...range, signal, onProgress })
  if (!json) {
    screen.print(`${safe(event)}: ${summary(report)}, ${moment(report.from)} to ${moment(report.to)}.`)
    if (!report.finished) screen.print('It was stopped. The same command goes on from here.')
  }
  return report
}

function line({ event, state, at, ...report }: BackfillProgress): string {
  const where = at ? `, at ${moment(at)}` : ''
  const waiting = state === 'waiting' ? '; waits for the portal’s messages to be sent' : ''
  return `${safe(event)}: ${summary(report)}${where}${waiting}`
}

function summary({ recorded, duplicates, diverted }: Omit<BackfillReport, 'event'>): string {
  const there = duplicates > 0 ? `, ${count(duplicates)} there already` : ''
  const bad = diverted > 0 ? `, ${count(diverted)} dead because they cannot be sent` : ''
  return `${counted(recorded, 'message')} recorded${there}${bad}`
}

/** Each new state, and otherwise one a second at most. */
function everySecond(tell: (progress: BackfillProgress) => void): (progress: BackfillProgress) => void {
  let next = 0
  let told: BackfillProgress['state'] | undefined
  return (progress) => {
    if (progress.state === told && performance.now() < next) return
    next = performance.now() + LINE_MS
    told = progress.state
    tell(progress)
  }
}

async function loadApp(module: string): Promise<App> {
  const app = (await loadExport(module)) as Partial<App> | undefined
  const missing = [
    typeof app?.outbox?.backfill === 'function' ? [] : 'outbox',
    typeof app?.dataSource?.initialize === 'function' ? [] : 'dataSource',
    typeof app?.backfills === 'object' ? [] : 'backfills',
  ].flat()
  if (missing.length === 0) return app as App
  throw new WrongUseError(
    `${module} exports no ${missing.join(', no ')}.`,
    'The outbox, its DataSource and what reads your tables are the application’s own.',
    'Export `outbox`, `dataSource` and `backfills` from it: docs/backfill.md shows how.',
  )
}

function readerOf({ backfills }: App, event: string): ReadFacts<Plan, string> {
  const read = Object.hasOwn(backfills, event) ? backfills[event] : undefined
  if (read) return read
  throw new WrongUseError(
    `The application has no backfill of "${event}".`,
    '',
    `It has ${Object.keys(backfills).join(', ') || 'none'}.`,
  )
}
