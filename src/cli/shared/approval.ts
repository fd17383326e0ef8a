import os from 'node:os'
import { createInterface } from 'node:readline'
import type { Command } from 'commander'
import type { Responsibility } from '../../operate/selection'
import { CliError, WrongUseError } from './cli-error'

export interface ApprovalOptions {
  dryRun?: boolean
  yes?: boolean
}

export interface ResponsibilityOptions extends ApprovalOptions {
  reason?: string
  actor?: string
}

/** What every command that changes rows has. */
export function addApprovalOptions(command: Command): Command {
  return command
    .option('--dry-run', 'show what it would do, and change nothing')
    .option('--yes', 'do not ask; needed where no terminal is')
}

/** What a change has that goes into the audit trail. */
export function addResponsibilityOptions(command: Command): Command {
  return addApprovalOptions(
    command
      .optionsGroup('Change:')
      .option('--reason <text>', 'why, for the audit trail; asked for on a terminal')
      .option('--actor <name>', 'who, for the audit trail; default: your user name'),
  )
}

/** Before anything is looked up: ends the command where nobody could be asked and nothing was said. */
export function checkApproval(options: ApprovalOptions): void {
  if (options.dryRun || options.yes || isInteractive()) return
  throw new WrongUseError(
    'This changes rows, and no terminal is there to confirm it on.',
    '',
    'Pass --yes to go on without, or --dry-run to see what it would do.',
  )
}

/** The same for a change that is audited: the reason has to be given where nobody can be asked for it. */
export function checkAuditedApproval(options: ResponsibilityOptions): void {
  checkApproval(options)
  if (!options.dryRun && !options.reason?.trim() && !isInteractive()) throw noReason()
}

/** Who does it, and why. Asks for the reason where it can. */
export async function responsibilityOf(options: ResponsibilityOptions): Promise<Responsibility> {
  const actor = options.actor ?? userName()
  if (options.reason?.trim()) return { actor, reason: options.reason }
  if (isInteractive()) {
    const reason = (await ask('Why? It is kept in the audit trail: ')).trim()
    if (reason) return { actor, reason }
  }
  throw noReason()
}

function noReason(): WrongUseError {
  return new WrongUseError(
    'No reason is given.',
    'The audit trail is how the next engineer understands what happened.',
    'Pass --reason "INC-42: what happened".',
  )
}

/** Throws unless it is agreed to. Anything but yes is no, and so are the end of the input and Ctrl-C. */
export async function confirm(question: string, options: ApprovalOptions): Promise<void> {
  if (options.yes) return
  if (/^y(es)?$/i.test((await ask(`${question} [y/N] `)).trim())) return
  throw new CliError('Nothing was changed.', '', '')
}

function isInteractive(): boolean {
  return Boolean(process.stdin.isTTY && process.stderr.isTTY)
}

/** Questions go to stderr: stdout may be a file. */
function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr, terminal: true })
  return new Promise((resolve) => {
    terminal.once('close', () => {
      process.stderr.write('\n') // nothing was entered, and so no line ended
      resolve('')
    })
    terminal.question(question, (answer) => {
      terminal.removeAllListeners('close')
      terminal.close()
      resolve(answer)
    })
  })
}

function userName(): string {
  try {
    return os.userInfo().username
  } catch {
    throw new WrongUseError(
      'Your account has no name here.',
      'The audit trail keeps who did it.',
      'Pass --actor.',
    )
  }
}
