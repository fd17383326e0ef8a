import { type Argument, Command } from 'commander'
import { addAudit } from './audit'
import { addBackfill } from './backfill'
import { addDead } from './dead'
import { addDiscard } from './discard'
import { addDoctor } from './doctor'
import { addDrain } from './drain'
import { addErase } from './erase'
import { addMessages } from './messages'
import { addMigrate } from './migrate'
import { addPlan } from './plan'
import { addPrune } from './prune'
import { addReconcile } from './reconcile'
import { addRedrive } from './redrive'
import { addResolve } from './resolve'
import { addSandbox } from './sandbox'
import { addSources } from './sources'
import { addStatus } from './status'
import { addWarehouses } from './warehouses'
import { addWhy } from './why'

/** The commands, as the help groups them. */
const COMMANDS: readonly [group: string, add: readonly ((program: Command) => void)[]][] = [
  ['See:', [addStatus, addMessages, addWhy, addDead, addAudit, addDoctor, addReconcile]],
  ['Mend:', [addRedrive, addResolve, addDiscard, addSources, addWarehouses]],
  ['Run:', [addMigrate, addDrain, addPrune, addErase, addBackfill, addPlan, addSandbox]],
]

export function createProgram(): Command {
  const { version } = require('synap-outbox/package.json') as { version: string }
  const program = new Command('synap-outbox')
    .description('Looks after a transactional outbox for Segment.')
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .helpCommand(false)
    .configureHelp({
      subcommandTerm: (command) =>
        [command.name(), ...command.registeredArguments.map(argumentTerm)].join(' '),
    })
    .showHelpAfterError('See --help.')
    .exitOverride()
  for (const [group, commands] of COMMANDS) {
    program.commandsGroup(group)
    for (const add of commands) add(program)
  }
  return program.addHelpText('after', closing)
}

const closing = `
Run a command with --help for its options and examples.

Environment:
  DATABASE_URL         the PostgreSQL that the outbox is in
  OUTBOX_SECRET_KEYS   "id:base64" pairs that write keys are encrypted with; drain, doctor and
                       sources rotate-secrets want them
  WAREHOUSE_URL        a portal’s warehouse, for warehouses connect and reconcile --warehouse-schema
  SEGMENT_HOST         origin of the tracking API, if not Segment’s own
  NO_COLOR             set: neither colours nor lines

Exit codes:
  0 fine   1 it failed   2 wrong use   3 something wants attention (each command’s help says what)`

/** Every command has options: to say so of each would only take room. */
function argumentTerm(argument: Argument): string {
  return argument.required ? `<${argument.name()}>` : `[${argument.name()}]`
}
