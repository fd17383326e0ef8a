#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { addSandbox } from './sandbox'

/** Exit codes: 0 done, 1 it failed, 2 wrong use. */
const FAILED = 1
const WRONG_USE = 2

function createProgram(): Command {
  const { version } = require('synap-outbox/package.json') as { version: string }
  const program = new Command('synap-outbox')
    .description('Looks after a transactional outbox for Segment.')
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .helpCommand(false)
    .showHelpAfterError('See --help.')
    .exitOverride()
  for (const add of [addSandbox]) add(program)
  return program.addHelpText('after', '\nRun a command with --help for its options and examples.')
}

async function main(): Promise<void> {
  try {
    await createProgram().parseAsync()
  } catch (error) {
    // Commander has printed its own errors, and the help that was asked for (its exit code is then 0).
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : WRONG_USE
    else {
      console.error(`synap-outbox: ${error instanceof Error ? error.message : error}`)
      process.exitCode = FAILED
    }
  }
}

void main()
