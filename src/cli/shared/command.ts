import type { Command } from 'commander'
import { addConnectionOptions } from './connection'
import { ExitCode } from './exit-codes'

export interface OutputOptions {
  json?: boolean
}

interface Texts {
  readonly description: string
  /** One line of it, for the list of commands, where the description is longer. */
  readonly summary?: string
  /** Lines of `command   what it is for`, without the program's name. */
  readonly examples: readonly string[]
  /** When it ends with 3. */
  readonly attention?: string
  /** What its parent does when it is called alone. */
  readonly isDefault?: boolean
}

/** A command that talks to a database. Its own options come first, so `addOwn` is called before the common ones. */
export function databaseCommand(
  parent: Command,
  name: string,
  texts: Texts,
  addOwn: (command: Command) => Command = (command) => command,
): Command {
  const command = addOwn(
    parent
      .command(name, { isDefault: texts.isDefault === true })
      .description(texts.description)
      .summary(texts.summary ?? ''),
  )
  addConnectionOptions(command.optionsGroup('Output:').option('--json', 'one JSON document, for scripts'))
  return command.addHelpText('after', closing(texts))
}

/** What every command's help ends with. */
export function closing({ examples, attention }: Pick<Texts, 'examples' | 'attention'>): string {
  const shown = examples.map((example) => `  $ synap-outbox ${example}`).join('\n')
  const codes = `Exit codes: 0 fine, 1 it failed, 2 wrong use${attention ? `, 3 ${attention}` : ''}.`
  return `\nExamples:\n${shown}\n\n${codes}`
}

/** Makes an action of what returns its exit code; nothing returned is fine. */
export function exits<Args extends unknown[]>(
  run: (...args: Args) => Promise<ExitCode | undefined>,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    process.exitCode = (await run(...args)) ?? ExitCode.FINE
  }
}
