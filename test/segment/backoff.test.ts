import fc from 'fast-check'
import { type BackoffOptions, backoffMs } from '../../src/dispatch/backoff'
import type { Verdict } from '../../src/segment/verdict'

type Failure = Exclude<Verdict, { kind: 'accepted' | 'refused-message' }>

const defaults: BackoffOptions = { initialMs: 1000, maxMs: 60_000, refusedMs: 300_000 }

const options = fc
  .record({
    initialMs: fc.integer({ min: 1, max: 3_600_000 }),
    more: fc.integer({ min: 0, max: 86_400_000 }),
    refusedMs: fc.integer({ min: 1, max: 86_400_000 }),
  })
  .map(({ initialMs, more, refusedMs }) => ({ initialMs, maxMs: initialMs + more, refusedMs }))
const failure: fc.Arbitrary<Failure> = fc.oneof(
  fc.record({ kind: fc.constant('unreachable' as const), reason: fc.constant('why') }),
  fc.record(
    {
      kind: fc.constantFrom('throttled' as const, 'ambiguous' as const, 'refused-source' as const),
      reason: fc.constant('why'),
      retryAfterMs: fc.integer({ min: 0, max: 3_600_000 }),
    },
    { requiredKeys: ['kind', 'reason'] },
  ),
)
const failures = fc.integer({ min: 1, max: 1_000_000 })
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

/** The least it may be, and how much jitter may come on top. */
function bounds(
  verdict: Failure,
  failures: number,
  options: BackoffOptions,
): [floor: number, jitter: number] {
  const asked = 'retryAfterMs' in verdict ? (verdict.retryAfterMs ?? 0) : 0
  const floor = verdict.kind === 'refused-source' ? Math.max(asked, options.refusedMs) : asked
  return [floor, Math.min(options.maxMs, options.initialMs * 2 ** (failures - 1))]
}

it('waits at least what was asked for, and at most the ceiling longer', () => {
  fc.assert(
    fc.property(failure, failures, options, random, (verdict, failures, options, random) => {
      const [floor, jitter] = bounds(verdict, failures, options)
      const ms = backoffMs(verdict, failures, options, random)
      expect(ms).toBeGreaterThanOrEqual(floor)
      expect(ms).toBeLessThanOrEqual(floor + jitter)
    }),
  )
})

it('spreads over the whole range: full jitter', () => {
  fc.assert(
    fc.property(failure, failures, options, (verdict, failures, options) => {
      const [floor, jitter] = bounds(verdict, failures, options)
      expect(backoffMs(verdict, failures, options, 0)).toBe(floor)
      expect(backoffMs(verdict, failures, options, 0.5)).toBeCloseTo(floor + jitter / 2, 6)
      const most = backoffMs(verdict, failures, options, 1 - Number.EPSILON)
      expect(most).toBeGreaterThan(floor + jitter * 0.999)
    }),
  )
})

it('never shortens as failures add up', () => {
  fc.assert(
    fc.property(failure, failures, options, random, (verdict, failures, options, random) => {
      const next = backoffMs(verdict, failures + 1, options, random)
      expect(next).toBeGreaterThanOrEqual(backoffMs(verdict, failures, options, random))
    }),
  )
})

it('is a finite number of milliseconds that a timestamp can be moved by', () => {
  fc.assert(
    fc.property(failure, failures, options, random, (verdict, failures, options, random) => {
      expect(Number.isSafeInteger(Math.round(backoffMs(verdict, failures, options, random)))).toBe(true)
    }),
  )
})

it.each([
  [1, 1000],
  [2, 2000],
  [6, 32_000],
  [7, 60_000],
  [1000, 60_000],
])('after %i failures the ceiling is %i ms', (failures, ceiling) => {
  const verdict = { kind: 'unreachable', reason: 'why' } as const
  expect(backoffMs(verdict, failures, defaults, 1)).toBe(ceiling)
})

it('gives a refused write key minutes, and a longer Retry-After its due', () => {
  const verdict = { kind: 'refused-source', reason: 'HTTP 401' } as const
  expect(backoffMs(verdict, 1, defaults, 0)).toBe(300_000)
  expect(backoffMs({ ...verdict, retryAfterMs: 1000 }, 1, defaults, 0)).toBe(300_000)
  expect(backoffMs({ ...verdict, retryAfterMs: 900_000 }, 1, defaults, 0)).toBe(900_000)
})
