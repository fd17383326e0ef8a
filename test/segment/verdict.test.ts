import fc from 'fast-check'
import type { Observation } from '../../src/segment/http-client'
import { judge, type Verdict } from '../../src/segment/verdict'

/** Fewer where the tests run once for each mutant; see jest.pure.config.cjs. */
const RUNS = Number(process.env.PROPERTY_RUNS ?? 1000)

type Answer = Extract<Observation, { kind: 'response' }>

const SUCCESS = '{"success":true}'
const HOUR = 3_600_000
const NOW = Date.parse('2026-03-01T09:00:00Z')

const answer = (seen: Partial<Answer>): Answer => ({
  kind: 'response',
  status: 200,
  headers: {},
  body: SUCCESS,
  complete: true,
  ms: 1,
  ...seen,
})
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

describe('every status from 100 to 599', () => {
  const bodies = ['', SUCCESS, '{"success":false}', '<html></html>', 'null', '[]', '{"success":"true"}']
  const unclear = [408, 409, 425, 460, 499]
  const aboutMessages = [400, 413, 422]
  const aboutTheSource = range(400, 499).filter(
    (status) => ![429, ...unclear, ...aboutMessages].includes(status),
  )

  it.each<[string, number[], Verdict['kind']]>([
    ['1xx', range(100, 199), 'ambiguous'],
    ['2xx but 200', range(201, 299), 'ambiguous'],
    ['3xx, which is never followed', range(300, 399), 'ambiguous'],
    ['400, 413 and 422', aboutMessages, 'refused-message'],
    ['429', [429], 'throttled'],
    ['408, 409, 425, 460 and 499', unclear, 'ambiguous'],
    ['all other 4xx, 401 and 403 among them', aboutTheSource, 'refused-source'],
    ['5xx', range(500, 599), 'ambiguous'],
  ])('%s, whatever the body', (_, statuses, kind) => {
    for (const status of statuses) {
      for (const body of bodies) {
        for (const complete of [true, false]) {
          expect([status, judge(answer({ status, body, complete })).kind]).toEqual([status, kind])
        }
      }
    }
  })

  it.each<[string, boolean, Verdict['kind']]>([
    [SUCCESS, true, 'accepted'],
    [' {"success": true, "more": 1}\n', true, 'accepted'],
    [SUCCESS, false, 'ambiguous'],
    ['', true, 'ambiguous'],
    ['{"success":false}', true, 'ambiguous'],
    ['{"success":"true"}', true, 'ambiguous'],
    ['{"success":1}', true, 'ambiguous'],
    ['{"Success":true}', true, 'ambiguous'],
    ['[{"success":true}]', true, 'ambiguous'],
    ['true', true, 'ambiguous'],
    ['null', true, 'ambiguous'],
    ['{"success":true', true, 'ambiguous'],
    [`${SUCCESS}${SUCCESS}`, true, 'ambiguous'],
    ['<html>{"success":true}</html>', true, 'ambiguous'],
  ])('200 with %j, complete: %s', (body, complete, kind) => {
    expect(judge(answer({ body, complete })).kind).toBe(kind)
  })
})

describe('without an answer', () => {
  it.each(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EPROTO', 'TIMEOUT', 'ABORTED', 'ECONNRESET'])(
    '%s is unreachable before a byte may have left, and ambiguous after',
    (code) => {
      const seen = { kind: 'error', code, message: 'what happened', ms: 1 } as const
      expect(judge({ ...seen, written: false })).toEqual({
        kind: 'unreachable',
        reason: `${code}: what happened`,
      })
      expect(judge({ ...seen, written: true })).toEqual({
        kind: 'ambiguous',
        reason: `${code}: what happened`,
      })
    },
  )

  it('says a code once where the system has no words for it', () => {
    const seen = {
      kind: 'error',
      code: 'ECONNREFUSED',
      message: 'ECONNREFUSED',
      written: false,
      ms: 1,
    } as const
    expect(judge(seen)).toEqual({ kind: 'unreachable', reason: 'ECONNREFUSED' })
  })

  it('what the client would not send is refused, as a message or as a source', () => {
    const seen = { kind: 'unsent', message: 'why', ms: 0 } as const
    expect(judge({ ...seen, about: 'messages' })).toEqual({ kind: 'refused-message', reason: 'why' })
    expect(judge({ ...seen, about: 'source' })).toEqual({ kind: 'refused-source', reason: 'why' })
  })
})

describe('Retry-After', () => {
  const asked = (headers: Answer['headers'], status = 429) => {
    const verdict = judge(answer({ status, headers }), NOW)
    return 'retryAfterMs' in verdict ? verdict.retryAfterMs : undefined
  }

  it.each([
    ['0', 0],
    ['7', 7000],
    [' 7 ', 7000],
    ['1.5', 1500],
    ['1.125', 1125],
    ['3600', HOUR],
    ['3601', HOUR],
    ['9'.repeat(400), HOUR],
    ['-1', undefined],
    ['+5', undefined],
    ['1e3', undefined],
    ['0x10', undefined],
    ['7s', undefined],
    ['7, 8', undefined],
    ['', undefined],
    ['soon', undefined],
    ['2026-03-01T09:00:30Z', undefined],
  ])('%j in seconds', (value, ms) => {
    expect(asked({ 'retry-after': value })).toBe(ms)
  })

  it.each([
    ['Sun, 01 Mar 2026 09:00:30 GMT', 30_000],
    ['Sunday, 01-Mar-26 09:00:30 GMT', 30_000],
    ['Sun Mar  1 09:00:30 2026', 30_000],
    ['Sun, 01 Mar 2026 08:59:30 GMT', 0],
    ['Mon, 02 Mar 2026 09:00:00 GMT', HOUR],
    ['Sun, 31 Feb 2026 09:00:30 PST', undefined],
    ['a Sun, 01 Mar 2026 09:00:30 GMT', undefined],
    ['Sun, 01 Mar 2026 09:00:30 GMT+1', undefined],
    ['a Sunday, 01-Mar-26 09:00:30 GMT', undefined],
    ['Sunday, 01-Mar-26 09:00:30 GMT+1', undefined],
    ['a Sun Mar  1 09:00:30 2026', undefined],
    ['Sun Mar  1 09:00:30 2026 GMT+1', undefined],
    ['Sun Mar +1 09:00:30 2026', undefined],
    ['Xxx, 99 Xxx 2026 99:99:99 GMT', undefined],
  ])('%j as a date', (value, ms) => {
    expect(asked({ 'retry-after': value })).toBe(ms)
  })

  it("reads a date against the server's clock, not ours", () => {
    const headers = {
      'retry-after': 'Sun, 01 Mar 2026 11:00:30 GMT',
      date: 'Sun, 01 Mar 2026 11:00:00 GMT',
    }
    expect(asked(headers)).toBe(30_000)
    expect(asked({ ...headers, date: ` ${headers.date} ` })).toBe(30_000)
    expect(asked({ ...headers, date: 'not a date' })).toBe(HOUR)
  })

  it('falls back to X-RateLimit-Reset, for a 429 only', () => {
    expect(asked({ 'x-ratelimit-reset': '12' })).toBe(12_000)
    expect(asked({ 'x-ratelimit-reset': ' 12 ' })).toBe(12_000)
    expect(asked({ 'retry-after': 'soon', 'x-ratelimit-reset': '12' })).toBe(12_000)
    expect(asked({ 'retry-after': '3', 'x-ratelimit-reset': '12' })).toBe(3000)
    expect(asked({ 'x-ratelimit-reset': '12' }, 503)).toBeUndefined()
  })

  it.each([401, 403, 429, 503, 302])('is heard with %d', (status) => {
    expect(asked({ 'retry-after': '7' }, status)).toBe(7000)
  })
})

describe('reasons', () => {
  it('hold the beginning of a refusal, on one line', () => {
    expect(judge(answer({ status: 400, body: ' {\n  "message": "malformed"\n}\n' }))).toEqual({
      kind: 'refused-message',
      reason: 'HTTP 400: { "message": "malformed" }',
    })
  })

  it.each([
    [{ status: 500, body: '' }, 'HTTP 500'],
    [{ status: 500, body: ' \n ' }, 'HTTP 500'],
    [{ status: 502, body: 'Bad Gateway' }, 'HTTP 502: Bad Gateway'],
    [{ status: 200, body: '{}' }, 'HTTP 200 without a success body'],
    [{ status: 200, body: 'null' }, 'HTTP 200 without a success body'],
    [{ status: 200, body: '{"succ', complete: false }, 'HTTP 200 whose body did not arrive whole'],
  ])('of %j, which nobody knows the outcome of: %s', (seen, reason) => {
    expect(judge(answer(seen))).toStrictEqual({ kind: 'ambiguous', reason })
  })

  it('can be stored, whatever the answer held', () => {
    // Cut in the middle of an emoji, half a surrogate pair would be left.
    const body = `\0\u001b[31m${'x'.repeat(283)}😀`
    const { reason } = judge(answer({ status: 400, body })) as { reason: string }
    expect(reason).toMatch(/^HTTP 400: \[31mx{283}$/)
    expect(reason.isWellFormed()).toBe(true)
  })
})

describe('properties', () => {
  const header = fc.option(
    fc.oneof(fc.string({ unit: 'binary' }), fc.nat().map(String), fc.date().map(String)),
    {
      nil: undefined,
    },
  )
  const headers = fc.record({ 'retry-after': header, date: header, 'x-ratelimit-reset': header })
  const body = fc.oneof(
    fc.constant(SUCCESS),
    fc.json(),
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'binary', minLength: 300, maxLength: 400 }),
  )
  const response = fc.record({
    kind: fc.constant('response' as const),
    status: fc.oneof(fc.integer({ min: 100, max: 599 }), fc.constantFrom(200, 400, 401, 403, 413, 429, 0)),
    headers,
    body,
    complete: fc.boolean(),
    ms: fc.nat(),
  })
  const error = fc.record({
    kind: fc.constant('error' as const),
    code: fc.string(),
    message: fc.string({ unit: 'binary' }),
    written: fc.boolean(),
    ms: fc.nat(),
  })
  const unsent = fc.record({
    kind: fc.constant('unsent' as const),
    about: fc.constantFrom('messages' as const, 'source' as const),
    message: fc.string({ unit: 'binary' }),
    ms: fc.nat(),
  })
  const observation: fc.Arbitrary<Observation> = fc.oneof(
    { weight: 3, arbitrary: response },
    { weight: 1, arbitrary: error },
    { weight: 1, arbitrary: unsent },
  )

  it('has a verdict for everything, the same each time', () => {
    fc.assert(
      fc.property(observation, (seen) => expect(judge(seen, NOW)).toEqual(judge(seen, NOW))),
      { numRuns: RUNS },
    )
  })

  it('accepts nothing but a whole 200 that says success', () => {
    fc.assert(
      fc.property(observation, (seen) => {
        const proof =
          seen.kind === 'response' &&
          seen.status === 200 &&
          seen.complete &&
          succeeds(() => JSON.parse(seen.body).success === true)
        expect(judge(seen).kind === 'accepted').toBe(proof)
      }),
      { numRuns: RUNS },
    )
  })

  it('never starts the dedup window for what is known not to be accepted', () => {
    fc.assert(
      fc.property(observation, (seen) => {
        const known =
          seen.kind === 'unsent' ||
          (seen.kind === 'error' && !seen.written) ||
          (seen.kind === 'response' && [400, 401, 403, 413, 429].includes(seen.status))
        if (known) expect(judge(seen).kind).not.toBe('ambiguous')
      }),
      { numRuns: RUNS },
    )
  })

  it('starts it for whatever may have been accepted', () => {
    fc.assert(
      fc.property(observation, (seen) => {
        const open =
          (seen.kind === 'error' && seen.written) ||
          (seen.kind === 'response' && (seen.status < 400 || seen.status >= 500))
        if (open) expect(['accepted', 'ambiguous']).toContain(judge(seen).kind)
      }),
      { numRuns: RUNS },
    )
  })

  it('never asks for a pause below zero or beyond an hour', () => {
    fc.assert(
      fc.property(response, fc.integer(), (seen, now) => {
        const { retryAfterMs = 0 } = judge(seen, now) as { retryAfterMs?: number }
        expect(retryAfterMs).toBeGreaterThanOrEqual(0)
        expect(retryAfterMs).toBeLessThanOrEqual(HOUR)
      }),
      { numRuns: RUNS },
    )
  })

  it('gives reasons that are short, and that jsonb can hold', () => {
    fc.assert(
      fc.property(observation, (seen) => {
        const { reason = '' } = judge(seen) as { reason?: string }
        expect(reason.length).toBeLessThanOrEqual(300)
        expect(reason).not.toMatch(/[\p{C}\n]/u)
      }),
      { numRuns: RUNS },
    )
  })
})

function succeeds(test: () => boolean): boolean {
  try {
    return test()
  } catch {
    return false
  }
}
