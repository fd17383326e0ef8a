import { STEPS } from '../../src/steps'
import type { CrashCase } from './crash-case'
import { CRASH_CASES } from './crash-cases'
import { type CrashStage, createCrashStage } from './crash-stage'
import { checkAgainstTruth } from './ground-truth'
import { Fleet } from './process/fleet'
import { ProcessEnded, type RealProcess } from './process/real-process'

let stage: CrashStage
const fleet = new Fleet()
/** The process that took over in one case is the one that dies in the next: half the processes to load. */
let survivor: RealProcess | undefined

beforeEach(async () => {
  stage = await createCrashStage()
})
afterEach(() => stage.end())
afterAll(() => fleet.end())

describe('a process that dies (SIGKILL) at any step loses nothing and doubles nothing', () => {
  it.each(CRASH_CASES.map((each) => [nameOf(each), each] as const))('%s', async (_, each) => {
    const process = survivor ?? fleet.take()
    survivor = undefined
    await process.ask('open', stage.setup)
    stage.segment.fault(each.faults, { writeKey: stage.portals[0].writeKey })
    const arm = async () => void (await process.ask('crashAt', each))
    await each.story({ ...stage, process, arm }).catch(unlessEnded)
    expect(await process.ended).toEqual({ code: null, signal: 'SIGKILL' })

    await stage.letTimePass()
    const next = fleet.take()
    await next.ask('open', stage.setup)
    await next.ask('record', stage.facts(['committed', 'rolledBack', 'second']))
    await next.ask('drain', null)
    await next.ask('prune', null)
    await next.ask('stop', null)

    await checkAgainstTruth(stage.dataSource, stage.segment, stage.portals)
    survivor = next
  })
})

it('a process that dies again and again, each time at another step, loses nothing and doubles nothing', async () => {
  const steps = [
    'record:committed',
    'lease:after',
    'batch:after',
    'send:before',
    'send:after',
    'postpone:before',
    'postpone:after',
    'split:before',
    'split:after',
    'settle:before',
    'settle:after',
    'release:before',
  ] as const
  for (const step of steps) {
    const process = fleet.take()
    await process.ask('open', stage.setup)
    stage.segment.fault({ kind: 'status', status: 503 }, { times: 1 })
    await process.ask('crashAt', { step, nth: 1 })
    const facts = stage.facts(['committed', 'poison', 'rolledBack', 'second', 'committed'])
    const story = process.ask('record', facts).then(() => process.ask('start', null))
    await story.then(() => process.ended).catch(unlessEnded)
    expect(await process.ended).toEqual({ code: null, signal: 'SIGKILL' })
    await stage.letTimePass()
  }
  await stage.segment.clearFaults()
  stage.refusePoison()
  await stage.outbox({ secretKeys: stage.secretKeys }).drain()
  await checkAgainstTruth(stage.dataSource, stage.segment, stage.portals)
})

it('has a case for each step, with the request accepted and not accepted', () => {
  const covered = (accepted: boolean) =>
    new Set(CRASH_CASES.filter((each) => each.accepted === accepted).map((each) => each.step))
  for (const accepted of [true, false]) expect(covered(accepted)).toEqual(new Set(STEPS))
})

function nameOf({ step, when, accepted, nth }: CrashCase): string {
  return `at ${step}, ${when}, ${accepted ? 'accepted' : 'not accepted'} (time ${nth})`
}

function unlessEnded(error: unknown): void {
  if (!(error instanceof ProcessEnded)) throw error
}
