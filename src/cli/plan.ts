import { type Command, Option } from 'commander'
import type { PlanOptions, plan as work } from './plan-work'
import { closing, exits } from './shared/command'
import type { ExitCode } from './shared/exit-codes'

const FORMATS: readonly NonNullable<PlanOptions['format']>[] = ['markdown', 'segment', 'json-schema']

/** `synap-outbox plan`: the tracking plan for Segment Protocols, for programs and for people, and its drift. */
export function addPlan(program: Command): void {
  program
    .command('plan')
    .description('Print the tracking plan, or compare it with an exported one.')
    .addOption(new Option('--format <name>', 'how it is printed; default markdown').choices(FORMATS))
    .option('--plan <module#export>', 'your own plan, such as ./dist/plan.js#examPlan; default Synap’s')
    .addOption(
      new Option('--check <file>', 'compare with an export, segment or json-schema').conflicts([
        'format',
        'write',
      ]),
    )
    .option(
      '--write <file>',
      'write it there, unless that would hide a breaking change without a new version',
    )
    .addHelpText(
      'after',
      closing({
        examples: [
          'plan --format segment > rules.json',
          'plan --plan ./dist/plan.js#examPlan --write tracking-plan.json',
          'plan --plan ./dist/plan.js#examPlan --check tracking-plan.json   in CI',
        ],
        attention: 'the plan differs from the file, or --write would hide a breaking change',
      }),
    )
    .action(exits(plan))
}

/** The plan and zod are loaded only here, and `--help` starts without them. */
function plan(options: PlanOptions): Promise<ExitCode> {
  const { plan } = require('./plan-work') as { plan: typeof work }
  return plan(options)
}
