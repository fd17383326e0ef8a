import type {
  EventName,
  EventProperties,
  GroupTraits,
  IdentifyTraits,
  Outbox,
  PageProperties,
} from 'synap-outbox'
import { synapPlan } from 'synap-outbox'
import type { EntityManager } from 'typeorm'
import { z } from 'zod'

type Synap = typeof synapPlan
const moment = '2026-03-02T09:00:00.000Z'

/** The smallest acceptable properties of each event, and the natural key that they have. */
const smallest: { [E in EventName<Synap>]: [EventProperties<Synap, E>, unknown] } = {
  'Began Test': [{ testId: 't', attemptId: 'a', attemptNumber: 1 }, 'a'],
  'Submitted Test': [
    { testId: 't', attemptId: 'a', attemptNumber: 1, durationSeconds: 0, requiresMarking: true },
    'a',
  ],
  'Completed Test': [
    {
      testId: 't',
      attemptId: 'a',
      attemptNumber: 1,
      score: 0.5,
      maxScore: 2,
      percentage: 25,
      passed: false,
      durationSeconds: 9,
      requiresMarking: false,
    },
    'a',
  ],
  'Question Answered': [
    { testId: 't', attemptId: 'a', questionId: 'q', questionType: 'essay', revision: 2 },
    ['a', 'q', 2],
  ],
  'Collection Item Viewed': [{ viewId: 'v', collectionId: 'c', itemId: 'i', itemType: 'video' }, 'v'],
  'User Registered': [{ accountId: 'u', method: 'password' }, 'u'],
  'Assignment Started': [{ startId: 's', assignmentId: 'x', dueAt: moment }, 's'],
  'Exam User Registered': [{ registrationId: 'r', examId: 'e', examStartsAt: moment }, 'r'],
  'User Logged In': [{ sessionId: 's', method: 'single-sign-on' }, 's'],
  'User Session Restored': [{ sessionId: 's', restoreNumber: 3, inactiveSeconds: 1800 }, ['s', 3]],
}

describe.each(Object.entries(smallest))('%s', (event, [properties, key]) => {
  const definition = (
    synapPlan.events as Record<string, { properties: z.ZodType; key(p: unknown): unknown }>
  )[event]

  it('takes its facts, and is known by its natural key', () => {
    expect(definition?.properties.safeParse(properties).error?.issues).toBeUndefined()
    expect(definition?.key(properties)).toEqual(key)
  })

  it('refuses a property that is not in the plan, and each that is missing', () => {
    expect(definition?.properties.safeParse({ ...properties, extra: 1 }).success).toBe(false)
    const required = Object.keys(properties).filter((name) => !name.endsWith('At'))
    for (const name of required) {
      expect([name, definition?.properties.safeParse({ ...properties, [name]: undefined }).success]).toEqual([
        name,
        false,
      ])
    }
  })

  it('refuses ids that are none', () => {
    const ids = Object.keys(properties).filter((name) => name.endsWith('Id'))
    expect(ids.length).toBeGreaterThan(0)
    for (const id of ids) {
      for (const bad of ['', 'x'.repeat(101), 7, null]) {
        expect(definition?.properties.safeParse({ ...properties, [id]: bad }).success).toBe(false)
      }
    }
  })

  it('says when it is recorded', () => {
    expect(z.toJSONSchema(definition?.properties as z.ZodType).description).toMatch(/^A (user|test) .*\.$/)
  })
})

it('records single questions only with Detailed Event Tracking', () => {
  const detailed = Object.entries(synapPlan.events).filter(([, definition]) => definition.detailed)
  expect(detailed.map(([name]) => name)).toEqual(['Question Answered'])
})

it('bounds numbers', () => {
  const { properties } = synapPlan.events['Completed Test']
  const [valid] = smallest['Completed Test']
  const wrong = [
    { percentage: 100.01 },
    { percentage: -1 },
    { score: -1 },
    { durationSeconds: 1.5 },
    { attemptNumber: 0 },
  ]
  for (const change of wrong) expect(properties.safeParse({ ...valid, ...change }).success).toBe(false)
})

describe('identify', () => {
  const { identify } = synapPlan.calls
  const traits: IdentifyTraits<Synap> = {
    createdAt: moment,
    email: 'ada@example.org',
    emailVerified: true,
    firstName: 'Ada',
    lastName: 'Lovelace',
    name: 'Ada Lovelace',
    marketingEmailsConsent: 'removed',
    profilePicture: 'https://example.org/ada.png',
    'EI-Department': 'Mathematics',
    'EI-Year of entry': 3,
    'EI-Alumna': true,
    'EI-Left': null,
  }

  it('takes all traits, any of them, and none', () => {
    for (const some of [traits, { email: 'a@b' }, { 'EI-x': 1 }, {}])
      expect(identify.safeParse(some).data).toEqual(some)
  })

  it.each([
    { Department: 'x' },
    { 'EI-': 'x' },
    { 'ei-Department': 'x' },
    { 'EI-Departments': ['x'] },
    { 'EI-Department': { name: 'x' } },
    { marketingEmailsConsent: 'yes' },
    { email: 'nobody' },
    { createdAt: 'yesterday' },
  ])('refuses %j', (wrong) => {
    expect(identify.safeParse({ ...traits, ...wrong }).success).toBe(false)
  })

  it('is exported as a JSON Schema that its own traits satisfy', () => {
    expect(z.toJSONSchema(identify)).toMatchObject({
      allOf: [
        { properties: { email: {} }, patternProperties: { '^EI-.': {} }, additionalProperties: false },
        { propertyNames: true, additionalProperties: true },
      ],
    })
  })
})

it('knows two kinds of groups', () => {
  const { group } = synapPlan.calls
  const portal: GroupTraits<Synap> = { kind: 'portal', name: 'Alpha', slug: 'alpha', createdAt: moment }
  expect(group.safeParse(portal).success).toBe(true)
  expect(group.safeParse({ kind: 'user group', name: 'A' }).success).toBe(true)
  for (const wrong of [{ kind: 'class', name: 'A' }, { kind: 'portal' }, { ...portal, members: 3 }]) {
    expect(group.safeParse(wrong).success).toBe(false)
  }
})

it('takes pages of the portal', () => {
  const { page } = synapPlan.calls
  const whole: PageProperties<Synap> = { path: '/tests', title: 'Tests', search: '', referrer: '' }
  expect(page.safeParse(whole).success).toBe(true)
  for (const wrong of [{}, { path: 'tests' }, { ...whole, cookies: 'x' }])
    expect(page.safeParse(wrong).success).toBe(false)
})

/** Never run: each of these fails to compile once its line stops being an error. */
it('is checked by the compiler', () => {
  const misuse = [
    // @ts-expect-error no such event
    (): EventName<Synap> => 'Began test',
    // @ts-expect-error attemptNumber is missing
    (): EventProperties<Synap, 'Began Test'> => ({ testId: 't', attemptId: 'a' }),
    // @ts-expect-error a number is no id
    (): EventProperties<Synap, 'Began Test'> => ({ testId: 1, attemptId: 'a', attemptNumber: 1 }),
    // @ts-expect-error score belongs to Completed Test
    (): EventProperties<Synap, 'Began Test'> => ({ testId: 't', attemptId: 'a', attemptNumber: 1, score: 1 }),
    // @ts-expect-error no such way of logging in
    (): EventProperties<Synap, 'User Logged In'> => ({ sessionId: 's', method: 'magic' }),
    // @ts-expect-error a portal's own attributes are prefixed EI-
    (): IdentifyTraits<Synap> => ({ Department: 'Mathematics' }),
    // @ts-expect-error attributes are scalars
    (): IdentifyTraits<Synap> => ({ 'EI-Departments': ['Mathematics'] }),
    // @ts-expect-error no such consent
    (): IdentifyTraits<Synap> => ({ marketingEmailsConsent: true }),
    // @ts-expect-error no such kind
    (): GroupTraits<Synap> => ({ kind: 'class', name: 'A' }),
    // @ts-expect-error the path is missing
    (): PageProperties<Synap> => ({ title: 'Tests' }),
    (outbox: Outbox, tx: EntityManager) =>
      // @ts-expect-error no such event
      outbox.track(tx, 'Begun Test', { portalId: 'p', userId: 'u', properties: {} }),
    (outbox: Outbox, tx: EntityManager) =>
      // @ts-expect-error neither a user nor a browser
      outbox.page(tx, { portalId: 'p', name: 'Home', properties: { path: '/' } }),
    (outbox: Outbox, tx: EntityManager) =>
      // @ts-expect-error a track call has properties
      outbox.record(tx, [{ type: 'track', event: 'User Logged In', portalId: 'p', userId: 'u' }]),
  ]
  expect(misuse).toHaveLength(13)
})
