import fc from 'fast-check'
import { FAULTS, type FaultName } from './faults'

/** What is recorded: a fresh fact, one that was recorded before, one that Segment refuses, one that cannot be sent. */
export type What = 'began' | 'submitted' | 'again' | 'poison' | 'bad' | 'identify' | 'page'

/**
 * One step of a run, as plain data. Indexes count round and round over what there is; `later` is when the leases of
 * crashed processes and the rests of sources are over.
 */
export type Action =
  | { do: 'begin'; process: number; writes: boolean }
  | { do: 'record'; tx: number; portal: number; what: What[] }
  | { do: 'nest'; tx: number; portal: number; what: What[]; commit: boolean }
  | { do: 'end'; tx: number; commit: boolean }
  | { do: 'business'; process: number; portal: number; what: What[]; commit: boolean }
  | { do: 'race'; portal: number; commit: boolean }
  | { do: 'drain'; process: number; later: boolean }
  | { do: 'drain together'; later: boolean }
  | { do: 'disturbed drain'; process: number; statement: number; how: Ending; later: boolean }
  | { do: 'interleaved drain'; process: number; statement: number; meanwhile: Action[]; later: boolean }
  | { do: 'held drain'; process: number; meanwhile: Action[]; later: boolean }
  | { do: 'fault'; portal: number; faults: FaultName[] }
  | { do: 'outage' | 'recover' | 'leases expire' | 'rests end' }
  | { do: 'hours pass'; hours: number }
  | { do: 'connect' | 'pause' | 'resume' | 'disable' | 'rotate key'; portal: number }
  | { do: 'redrive'; portal: number; inDoubt?: 'send-again' | 'mark-delivered' }
  | { do: 'discard'; portal: number }

export type Ending = 'crash-before' | 'crash-after' | 'error-before' | 'error-after'

const index = fc.nat(5)
/** Two portals are connected from the start, and meet more than the third. */
const portal = fc.constantFrom(0, 1, 1, 1, 2, 2)
const what = fc.oneof(
  { weight: 8, arbitrary: fc.constant<What>('began') },
  { weight: 8, arbitrary: fc.constantFrom<What>('submitted', 'again', 'again', 'identify', 'page') },
  { weight: 2, arbitrary: fc.constantFrom<What>('poison', 'bad') },
)
const whats = fc.array(what, { minLength: 1, maxLength: 6, size: 'max' })
const mostly = fc.constantFrom(true, true, true, false)

const begin = fc.record({ do: fc.constant('begin' as const), process: index, writes: fc.boolean() })
const record = fc.record({ do: fc.constant('record' as const), tx: index, portal, what: whats })
const nest = fc.record({
  do: fc.constant('nest' as const),
  tx: index,
  portal,
  what: whats,
  commit: fc.boolean(),
})
const end = fc.record({ do: fc.constant('end' as const), tx: index, commit: mostly })
const business = fc.record({
  do: fc.constant('business' as const),
  process: index,
  portal,
  what: whats,
  commit: mostly,
})
const race = fc.record({ do: fc.constant('race' as const), portal, commit: fc.boolean() })
const drain = fc.record({ do: fc.constant('drain' as const), process: index, later: mostly })
const drainTogether = fc.record({ do: fc.constant('drain together' as const), later: mostly })
const fault = fc.record({
  do: fc.constant('fault' as const),
  portal,
  faults: fc.array(fc.constantFrom(...FAULTS), { minLength: 1, maxLength: 3, size: 'max' }),
})
const weather = fc.record({
  do: fc.constantFrom('outage' as const, 'recover' as const, 'recover' as const),
})
const restsEnd = fc.record({ do: fc.constant('rests end' as const) })
const leasesExpire = fc.record({ do: fc.constant('leases expire' as const) })
const hoursPass = fc.record({ do: fc.constant('hours pass' as const), hours: fc.constantFrom(12, 22, 24) })
const settings = fc.record({
  do: fc.constantFrom('connect', 'pause', 'resume', 'disable', 'rotate key', 'connect', 'resume'),
  portal,
}) as fc.Arbitrary<Action>

const redrive = fc
  .record({ portal, inDoubt: fc.constantFrom('send-again' as const, 'mark-delivered' as const, undefined) })
  .map(({ portal, inDoubt }): Action => ({ do: 'redrive', portal, ...(inDoubt && { inDoubt }) }))
const discard = fc.record({ do: fc.constant('discard' as const), portal })

const weighted = (weight: number, arbitrary: fc.Arbitrary<Action>) => ({ weight, arbitrary })

/** What others do while a dispatcher is in the middle of something. */
const meanwhile = fc.array(
  fc.oneof(
    weighted(3, business),
    weighted(2, begin),
    weighted(3, record),
    weighted(3, end),
    weighted(3, drain),
    weighted(4, leasesExpire),
    weighted(2, restsEnd),
    weighted(1, hoursPass),
    weighted(1, settings),
    weighted(1, fault),
    weighted(1, redrive),
  ),
  { minLength: 1, maxLength: 5, size: 'max' },
)

const statement = fc.nat(9)
const disturbed = fc.record({
  do: fc.constant('disturbed drain' as const),
  process: index,
  statement,
  how: fc.constantFrom<Ending>('crash-before', 'crash-after', 'error-before', 'error-after'),
  later: mostly,
})
const interleaved = fc.record({
  do: fc.constant('interleaved drain' as const),
  process: index,
  statement,
  meanwhile,
  later: mostly,
})
const held = fc.record({ do: fc.constant('held drain' as const), process: index, meanwhile, later: mostly })

/** Any action, the interesting ones more often. */
export const action: fc.Arbitrary<Action> = fc.oneof(
  weighted(6, business),
  weighted(3, begin),
  weighted(4, record),
  weighted(2, nest),
  weighted(3, end),
  weighted(1, race),
  weighted(4, drain),
  weighted(2, drainTogether),
  weighted(5, disturbed),
  weighted(5, interleaved),
  weighted(2, held),
  weighted(6, fault),
  weighted(1, weather),
  weighted(1, leasesExpire),
  weighted(1, restsEnd),
  weighted(3, hoursPass),
  weighted(2, settings),
  weighted(3, redrive),
  weighted(1, discard),
)
