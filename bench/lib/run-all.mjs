import { build } from '../../scripts/storm-build.mjs'
import { goalText, isMet, numberText } from './goals.mjs'
import { writeReport } from './report.mjs'
import { createStage } from './stage.mjs'

/** Runs the scenarios of these names and reports. Returns the exit code: 0 when every figure could be taken. */
export async function runAll(options) {
  const { names, small, rounds, json, write, list } = options
  const scenarios = await scenariosOf(names)
  if (scenarios.length === 0) {
    console.error(`bench: no result's name begins with ${names.join(' or ')}. See --list.`)
    return 2
  }
  if (list) {
    for (const [name, { goal }] of scenarios.flatMap(({ results }) => Object.entries(results))) {
      console.log(`${name.padEnd(20)} ${goalText(goal)}`)
    }
    return 0
  }
  const began = Date.now()
  const built = build()
  const results = []
  let stage
  try {
    stage = await createStage(built.folder)
    for (const scenario of scenarios) results.push(...(await runOne(stage, scenario, { small, rounds })))
    const all = names.length === 0
    if (write || (all && !small)) {
      const minutes = (Date.now() - began) / 60_000
      const about = {
        small,
        rounds,
        minutes,
        missing: await missingIn(results),
        postgres: await stage.show('server_version'),
        hugePages: await stage.show('huge_pages_status'),
      }
      writeReport(results, about)
    }
  } finally {
    await stage?.end()
    built.remove()
  }
  if (json) {
    const shape = ({ name, value, unit, goal, met }) => ({ name, value, unit, goal: goalText(goal), met })
    console.log(JSON.stringify(results.map(shape), null, 2))
  }
  return results.every(({ error }) => error === undefined) ? 0 : 1
}

/** Names that this run was not asked for. */
async function missingIn(results) {
  const all = (await scenariosOf([])).flatMap((scenario) => Object.keys(scenario.results))
  return all.filter((name) => !results.some((result) => result.name === name))
}

/** One that fails does not keep the others from being measured. */
async function runOne(stage, scenario, { small, rounds }) {
  const names = Object.keys(scenario.results)
  console.error(`${names.join(', ')} …`)
  const began = performance.now()
  let measured = {}
  let error
  try {
    measured = await scenario.run(stage, { small, rounds })
  } catch (caught) {
    error = caught
    console.error(caught)
  }
  const seconds = (performance.now() - began) / 1000
  return Object.entries(scenario.results).map(([name, { what, goal }]) => {
    const { value = null, min, max, figures = [] } = measured[name] ?? {}
    const notes = scenario.notes?.() ?? []
    const result = { name, what, goal, unit: 'ratio', value, min, max, figures, notes, seconds, error }
    result.met = isMet(goal, value)
    print(result)
    return result
  })
}

function print({ name, value, min, max, goal, met, figures, seconds }) {
  const spread = value === null ? 'failed' : `${numberText(value)} (${numberText(min)}–${numberText(max)})`
  const verdict = met ? 'met' : 'NOT met'
  console.error(`  ${name}: ${spread}, goal ${goalText(goal)} ${verdict}, ${seconds.toFixed(0)} s`)
  for (const { what, unit, median, min, max } of figures) {
    console.error(`    ${what}: ${numberText(median)} ${unit} (${numberText(min)}–${numberText(max)})`)
  }
}

/** A file each, in the order of the report. */
const SCENARIOS = [
  'record-one',
  'record-many',
  'record-concurrent',
  'drain-client',
  'drain-peers',
  'drain-flat',
  'drain-pinned',
  'drain-replicas',
  'wake',
  'app',
  'idle',
  'fair',
  'memory',
  'prune',
  'storage',
]

async function scenariosOf(names) {
  const wanted = (name) => names.length === 0 || names.some((given) => name.startsWith(given))
  const loaded = await Promise.all(SCENARIOS.map((name) => import(`../scenarios/${name}.mjs`)))
  return loaded.map(({ scenario }) => scenario).filter(({ results }) => Object.keys(results).some(wanted))
}
