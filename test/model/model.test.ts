import fc from 'fast-check'
import { type Action, action } from './actions'
import { regressions } from './regressions'
import { Run } from './run'
import { scenarios } from './scenarios'
import { Step } from './step'
import { World } from './world'

/** Longer runs and more of them: `MODEL_RUNS=5000 MODEL_SECONDS=1800 npx jest test/model`. */
const RUNS = Number(process.env.MODEL_RUNS ?? 500)
const SECONDS = Number(process.env.MODEL_SECONDS ?? 30)
const STEPS = 30

let world: World

beforeAll(async () => {
  world = await World.start()
})
afterAll(() => world.end())

async function play(steps: Iterable<fc.AsyncCommand<Run['ledger'], Run>>): Promise<void> {
  const run = await Run.begin(world)
  try {
    await fc.asyncModelRun(() => ({ model: run.ledger, real: run }), steps)
    const broken = await run.end()
    if (broken.length > 0) throw new Error(broken.slice(0, 10).join('\n'))
  } finally {
    await run.abandon()
  }
}

/** One run after the other. Past the deadline nothing more is run: fast-check's own limit would leave one running. */
const property = (deadline: number, replayPath?: string) =>
  fc.asyncProperty(
    fc.commands([action.map((each) => new Step(each))], { maxCommands: STEPS, size: 'max', replayPath }),
    async (steps) => {
      if (performance.now() < deadline) await play(steps)
    },
  )

/** A failure prints its seed, path and steps: add the first two to regressions.ts, or the steps to scenarios.ts. */
it(
  'keeps every invariant, whatever is recorded, fails, crashes and passes meanwhile',
  () => fc.assert(property(performance.now() + SECONDS * 1000), { numRuns: RUNS }),
  SECONDS * 1000 + 60_000,
)

for (const { why, seed, path, replayPath } of regressions) {
  it(`keeps them where it once did not: ${why}`, () =>
    fc.assert(property(Number.POSITIVE_INFINITY, replayPath), { seed, path, numRuns: 1, endOnFailure: true }))
}

it.each(scenarios)('keeps them in a run that is told: $why', ({ steps }) =>
  play(steps.map((each: Action) => new Step(each))),
)
