import { ExitCode } from './exit-codes'

/** Ends a command: what happened, why it matters, what to do, in that order; one sentence each. */
export class CliError extends Error {
  constructor(
    happened: string,
    matters: string,
    remedy: string,
    readonly exitCode: ExitCode = ExitCode.FAILED,
  ) {
    super([happened, matters, remedy].filter(Boolean).join(' '))
  }
}

/** It was called in a way that cannot be carried out: exit code 2. Nothing was read or changed. */
export class WrongUseError extends CliError {
  constructor(happened: string, matters: string, remedy: string) {
    super(happened, matters, remedy, ExitCode.WRONG_USE)
  }
}
