import type { Command } from 'commander'
import type { Outbox } from '../outbox'
import { logTo } from './output/log'
import { startProgress } from './output/progress'
import { Screen } from './output/screen'
import { count, counted } from './output/words'
import { databaseCommand, exits, type OutputOptions } from './shared/command'
import { type ConnectionOptions, withOutbox } from './shared/connection'
import { ExitCode } from './shared/exit-codes'
import { wholeNumber } from './shared/numbers'
import { stopSignal } from './shared/signals'

interface Options extends ConnectionOptions, OutputOptions {
  watch?: boolean
  concurrency?: number
}

/** A dispatcher of its own does not prune: it cannot know what the application wants kept. */
const KEEP_ALL = {
  deliveredDays: 3650,
  deadDays: 3650,
  uncertainDays: 3650,
  discardedDays: 3650,
  batchDays: 3650,
}

export function addDrain(program: Command): void {
  databaseCommand(
    program,
    'drain',
    {
      description:
        'Send what is due, once, or for as long as it runs. Any number of processes may: leases share the sources out.',
      summary: 'Send what is due, once, or as a process that only dispatches.',
      examples: ['drain', 'drain --watch                 a process that does nothing but dispatch'],
      attention: 'messages still wait, or some of those sent ended dead or uncertain (not with --watch)',
    },
    (command) =>
      command
        .option('--watch', 'go on until SIGINT or SIGTERM; then let requests come back, and stop')
        .option(
          '--concurrency <number>',
          'sources served at the same time (default 16)',
          wholeNumber(1, 256),
        ),
  ).action(exits(drain))
}

async function drain(options: Options): Promise<ExitCode> {
  const screen = new Screen()
  const stop = stopSignal() // before anything is sent: a signal from here on ends it in order
  const { watch = false, concurrency } = options
  try {
    return await withOutbox(
      options,
      ({ outbox }) =>
        watch
          ? keepDraining(screen, outbox, stop.told, options)
          : drainOnce(screen, outbox, stop.told, options),
      {
        secretKeys: true,
        outbox: {
          retention: KEEP_ALL,
          dispatcher: concurrency === undefined ? {} : { concurrency },
          ...(watch && { logger: logTo(options.json === true) }),
        },
      },
    )
  } finally {
    stop.forget()
  }
}

async function drainOnce(
  screen: Screen,
  outbox: Outbox,
  told: Promise<NodeJS.Signals>,
  { json }: Options,
): Promise<ExitCode> {
  const { pending: before } = await outbox.inspect.overview()
  const progress = startProgress('Sending', before)
  const settled = countSettled(outbox, progress.reach)
  void told.then(() => outbox.stop())
  const report = await outbox.drain().finally(() => {
    settled.forget()
    progress.end()
  })
  const { pending } = await outbox.inspect.overview()
  const { delivered, dead, uncertain, requests } = report
  if (json) screen.printJson({ report, pending })
  else {
    screen.print(`Delivered ${counted(delivered, 'message')} in ${counted(requests, 'request')}.`)
    if (dead + uncertain > 0) {
      screen.print(
        `${count(dead)} ended dead, ${count(uncertain)} uncertain: \`synap-outbox dead\` says why.`,
      )
    }
    if (pending > 0) {
      const wait = counted(pending, 'message still waits', 'messages still wait')
      screen.print(`${wait}: \`synap-outbox sources\` says what for.`)
    }
  }
  return pending + dead + uncertain > 0 ? ExitCode.ATTENTION : ExitCode.FINE
}

async function keepDraining(
  screen: Screen,
  outbox: Outbox,
  told: Promise<NodeJS.Signals>,
  { json }: Options,
): Promise<ExitCode> {
  const totals = countSettled(outbox)
  await outbox.start()
  screen.say('Dispatching. Ctrl-C or SIGTERM stops it.')
  const signal = await told
  screen.say(`Stopping: ${signal}.`)
  await outbox.stop()
  totals.forget()
  const { delivered, dead, uncertain } = totals
  if (json) screen.printJson({ delivered, dead, uncertain })
  else
    screen.print(
      `Delivered ${counted(delivered, 'message')}; ${count(dead)} ended dead, ${count(uncertain)} uncertain.`,
    )
  return ExitCode.FINE
}

/** Counts the messages that reach their end, until told to forget it. */
function countSettled(outbox: Outbox, reach: (done: number) => void = () => {}) {
  const totals = { delivered: 0, dead: 0, uncertain: 0, discarded: 0, forget: () => {} }
  totals.forget = outbox.on('settled', ({ outcome, messages }) => {
    totals[outcome] += messages
    reach(totals.delivered + totals.dead + totals.uncertain)
  })
  return totals
}
