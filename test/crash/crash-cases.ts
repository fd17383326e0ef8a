import type { RequestFault } from 'synap-outbox/testing'
import type { Step } from '../../src/steps'
import type { CrashCase, FactKind, Stage } from './crash-case'

/** Six to deliver, two that were never committed: two batches of at most four. */
const SIX: FactKind[] = [
  'committed',
  'rolledBack',
  'committed',
  'committed',
  'committed',
  'rolledBack',
  'committed',
  'committed',
]
const WITH_POISON: FactKind[] = ['committed', 'poison', 'rolledBack', 'committed', 'committed', 'committed']
const ONLY_POISON: FactKind[] = ['poison']

/** Never answered: the request is out for as long as the process lives. */
const hangs = (accepted: boolean): RequestFault => ({ kind: 'timeout', accepted })
const lostAnswer: RequestFault = { kind: 'reset-after-accept' }
const lostRequest: RequestFault = { kind: 'reset-before-read' }
const status = (code: number): RequestFault => ({ kind: 'status', status: code })

/** Records, starts, and dies on the way of the messages. */
const sending = (kinds: readonly FactKind[]) => async (stage: Stage) => {
  await stage.process.ask('record', stage.facts(kinds))
  await stage.arm()
  await stage.process.ask('start', null)
  await stage.process.ended
}

/** Dies recording more, for the same portal or for another, while a request is out. */
const recordingMore = (kinds: readonly FactKind[]) => async (stage: Stage) => {
  await requestIsOut(stage)
  await stage.arm()
  await stage.process.ask('record', stage.facts(kinds))
  await stage.process.ended
}

/** Dies pruning what was delivered long ago, while a request is out. */
const pruning = async (stage: Stage) => {
  const { process, dataSource } = stage
  await process.ask('record', stage.facts(['second', 'second', 'second']))
  await process.ask('start', null)
  await process.seen('settled')
  await dataSource.query(`UPDATE outbox_message SET settled_at = settled_at - interval '20 days'
                          WHERE status = 'delivered'`)
  await requestIsOut(stage)
  await stage.arm()
  await process.ask('prune', null)
}

async function requestIsOut({ process, segment, facts, portals }: Stage): Promise<void> {
  await process.ask('record', facts(['committed', 'rolledBack', 'committed']))
  await process.ask('start', null)
  const writeKey = portals[0]?.writeKey
  await segment.waitFor((local) =>
    local.requests().some((request) => request.writeKey === writeKey && request.fault === 'timeout'),
  )
}

/** What differs between a point reached with the request accepted, and not. */
type Way = Pick<CrashCase, 'faults' | 'story'> & { nth?: number }

function both(step: Step, when: string, accepted: Way, not: Way): CrashCase[] {
  return [
    { step, when, accepted: true, nth: 1, ...accepted },
    { step, when, accepted: false, nth: 1, ...not },
  ]
}

const six = sending(SIX)
const answered = (): Way => ({ faults: [], story: six })
const refused = (code: number, story = six): Way => ({ faults: [status(code)], story })
/** The first request's outcome cannot be known; the step is the first, or the second time it is reached. */
const lost = (fault: RequestFault, nth: number, story = six): Way => ({ faults: [fault], story, nth })
const retried = (step: Step) => both(step, 'to try again', lost(lostAnswer, 2), lost(lostRequest, 2))
/** While a request is out, the process does something else and dies at it. */
const meanwhile = (step: Step, when: string, story: CrashCase['story'], nth = 1) =>
  both(step, when, { faults: [hangs(true)], story, nth }, { faults: [hangs(false)], story, nth })
const recording = (step: Step, nth: number) =>
  meanwhile(step, 'recording while a request is out', recordingMore(SIX), nth)
/** A refusal that comes after the batch was accepted unnoticed, and one by poison in the batch. */
const splitting = (step: Step) =>
  both(
    step,
    'of a refused batch',
    { faults: [lostAnswer, status(400)], story: six },
    { faults: [], story: poisoned },
  )
const poisoned = sending(WITH_POISON)

/** Every step, with the request accepted and not accepted at the moment of the crash. */
export const CRASH_CASES: readonly CrashCase[] = [
  ...recording('record:before', 3),
  ...recording('record:after', 3), // of a transaction that would have been committed
  ...recording('record:after', 2), // of one that would have failed
  ...recording('record:committed', 3),

  ...meanwhile('lease:before', 'for another portal', recordingMore(['second'])),
  ...meanwhile('lease:after', 'for another portal', recordingMore(['second'])),
  ...retried('lease:before'),
  ...retried('lease:after'),

  ...retried('batch:before'),
  ...retried('batch:after'),
  ...both('batch:before', 'of the next batch, or of the first', { ...answered(), nth: 2 }, answered()),
  ...both('batch:after', 'of the next batch, or of the first', { ...answered(), nth: 2 }, answered()),

  ...retried('send:before'),
  ...both('send:before', 'of the next batch, or of the first', { ...answered(), nth: 2 }, answered()),
  ...both('send:after', 'with an answer', answered(), refused(500)),
  ...both('send:after', 'with the connection reset', lost(lostAnswer, 1), lost(lostRequest, 1)),

  ...both('settle:before', 'of a success, or of poison', answered(), {
    faults: [],
    story: sending(ONLY_POISON),
  }),
  ...both('settle:after', 'of a success, or of poison', answered(), {
    faults: [],
    story: sending(ONLY_POISON),
  }),
  ...both(
    'settle:before',
    'of the first half, or of poison',
    { faults: [], story: poisoned },
    {
      faults: [],
      story: poisoned,
      nth: 2,
    },
  ),

  ...splitting('split:before'),
  ...splitting('split:after'),
  ...both(
    'split:after',
    'of a half',
    { faults: [lostAnswer, status(400), status(400)], story: six, nth: 2 },
    {
      faults: [],
      story: poisoned,
      nth: 2,
    },
  ),

  ...both('postpone:before', 'after a reset', lost(lostAnswer, 1), lost(lostRequest, 1)),
  ...both('postpone:after', 'after a reset', lost(lostAnswer, 1), lost(lostRequest, 1)),
  ...both('postpone:before', 'after a reset, or throttled', lost(lostAnswer, 1), refused(429)),
  ...both(
    'postpone:after',
    'after a reset, or with the write key refused',
    lost(lostAnswer, 1),
    refused(401),
  ),

  ...both('release:before', 'after a success, or a failure', answered(), refused(500)),
  ...both('release:after', 'after a success, or a failure', answered(), refused(500)),

  ...meanwhile('prune:before', 'between two chunks', pruning, 2),
  ...meanwhile('prune:after', 'between two chunks', pruning, 2),
]
