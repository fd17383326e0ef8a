#!/usr/bin/env node
import { CommanderError } from 'commander'
import { safe } from './output/safe-text'
import { createProgram } from './program'
import { CliError } from './shared/cli-error'
import { ExitCode } from './shared/exit-codes'

async function main(): Promise<void> {
  // `synap-outbox messages | head`: whoever read the output has enough of it.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit()
  })
  try {
    await createProgram().parseAsync()
  } catch (error) {
    // Commander has printed its own errors, and the help that was asked for (its exit code is then 0).
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? ExitCode.FINE : ExitCode.WRONG_USE
    } else {
      console.error(`synap-outbox: ${safe(error instanceof Error ? error.message : String(error))}`)
      process.exitCode = error instanceof CliError ? error.exitCode : ExitCode.FAILED
    }
  }
}

void main()
