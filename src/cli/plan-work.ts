import fs from 'node:fs'
import path from 'node:path'
import type { Plan } from '../plan/define-plan'
import { comparePlan, type PlanDifference } from '../plan/export/compare-plan'
import { planJsonSchema } from '../plan/export/json-schema'
import { planMarkdown } from '../plan/export/markdown'
import { segmentTrackingPlan } from '../plan/export/segment'
import { isPlan } from '../plan/is-plan'
import { synapPlan } from '../plan/synap-plan'
import { safe } from './output/safe-text'
import { Screen } from './output/screen'
import { WrongUseError } from './shared/cli-error'
import { ExitCode } from './shared/exit-codes'
import { loadExport } from './shared/load-export'

const FORMATS = {
  markdown: planMarkdown,
  segment: (plan: Plan) => JSON.stringify(segmentTrackingPlan(plan), null, 2),
  'json-schema': (plan: Plan) => JSON.stringify(planJsonSchema(plan), null, 2),
} as const

export interface PlanOptions {
  format?: keyof typeof FORMATS
  plan?: string
  check?: string
  write?: string
}

/** Prints the plan, compares it with a file, or writes it there. */
export async function plan(options: PlanOptions): Promise<ExitCode> {
  const screen = new Screen()
  const chosen = await choosePlan(options.plan)
  if (options.check !== undefined) return check(screen, options.check, chosen)
  if (options.write !== undefined) return write(screen, options.write, chosen, options.format)
  screen.print(FORMATS[options.format ?? 'markdown'](chosen))
  return ExitCode.FINE
}

async function choosePlan(where: string | undefined): Promise<Plan> {
  if (where === undefined) return synapPlan
  const found = await loadExport(where.includes('#') ? where : `${where}#plan`)
  if (isPlan(found)) return found
  throw new WrongUseError(`${where} is no plan.`, '', 'Name what `definePlan` returned.')
}

function check(screen: Screen, file: string, chosen: Plan): ExitCode {
  const differences = comparePlan(readExport(file), chosen)
  if (differences.length === 0) {
    screen.say(`The plan is as ${file} has it.`)
    return ExitCode.FINE
  }
  report(screen, differences)
  screen.say(
    differences.some(({ needsVersion }) => needsVersion)
      ? 'Give what breaks a new `version` in the plan, then write the file again with --write.'
      : `Nothing breaks without a new version. Write the file again: synap-outbox plan --write ${file}`,
  )
  return ExitCode.ATTENTION
}

function write(screen: Screen, file: string, chosen: Plan, given?: PlanOptions['format']): ExitCode {
  const before = path.extname(file) === '.json' && fs.existsSync(file) ? readExport(file) : undefined
  const hidden = before === undefined ? [] : comparePlan(before, chosen).filter((each) => each.needsVersion)
  if (hidden.length > 0) {
    report(screen, hidden)
    screen.say(`${file} is left as it is. Give what breaks a new \`version\` in the plan first.`)
    return ExitCode.ATTENTION
  }
  const usual = path.extname(file) !== '.json' ? 'markdown' : isSegment(before) ? 'segment' : 'json-schema'
  fs.writeFileSync(file, `${FORMATS[given ?? usual](chosen)}\n`)
  screen.say(`Written to ${file}.`)
  return ExitCode.FINE
}

function report(screen: Screen, differences: readonly PlanDifference[]): void {
  for (const { name, kind, changes, needsVersion } of differences) {
    screen.print(`${safe(name)}: ${kind}${needsVersion ? ', without a new version' : ''}`)
    for (const { path: where, what, breaking } of changes) {
      screen.print(`  ${breaking ? '!' : ' '} ${safe([where, what].filter(Boolean).join(' '))}`)
    }
  }
}

function readExport(file: string): unknown {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'))
  } catch (error) {
    throw new WrongUseError(
      `${file} cannot be read as JSON: ${error instanceof Error ? error.message : error}.`,
      '',
      'Make it with `synap-outbox plan --write`.',
    )
  }
}

function isSegment(exported: unknown): boolean {
  return typeof exported === 'object' && exported !== null && 'rules' in exported
}
