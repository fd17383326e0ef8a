import { dateTime, definePlan, type EventProperties, type Outbox, PlanError, synapPlan } from 'synap-outbox'
import type { EntityManager } from 'typeorm'
import { z } from 'zod'

const id = z.string().min(1)

describe('definePlan', () => {
  it.each([
    ['an empty name', { ' ': { properties: z.strictObject({ id2: id }), key: () => 'k' } }, /empty name/],
    [
      'properties that are not strict',
      { E: { properties: z.object({ a: id }), key: () => 'k' } },
      /strict object/,
    ],
    ['properties that are no object', { E: { properties: z.string(), key: () => 'k' } }, /strict object/],
    ['no key', { E: { properties: z.strictObject({ a: id }) } }, /no natural key/],
    [
      'a version that is no whole number',
      { E: { properties: z.strictObject({ a: id }), key: () => 'k', version: 1.5 } },
      /version of "E" is 1.5/,
    ],
    [
      'no JSON Schema',
      { E: { properties: z.strictObject({ a: z.bigint() }), key: () => 'k' } },
      /JSON Schema/,
    ],
  ] as [string, object, RegExp][])('refuses %s, and says what to do', (_, events, message) => {
    expect(() => definePlan(events as never)).toThrow(PlanError)
    expect(() => definePlan(events as never)).toThrow(message)
  })

  it('hashes each event’s schema: the same schema the same, a changed one another', () => {
    const hash = (shape: z.ZodRawShape) =>
      definePlan({ E: { properties: z.strictObject(shape), key: () => 'k' } }).schemaHashes.get('E')
    expect(hash({ a: id })).toBe(hash({ a: id }))
    expect(hash({ a: id })).not.toBe(hash({ a: id, b: id }))
    expect(new Set(synapPlan.schemaHashes.values()).size).toBe(Object.keys(synapPlan.events).length)
  })
})

describe('a recording', () => {
  it('does not compile unless it follows the plan', () => {
    const plan = definePlan({
      'Sat Exam': {
        properties: z.strictObject({ examId: z.string(), score: z.number().optional(), at: dateTime() }),
        key: (p) => p.examId,
      },
    })
    const good: EventProperties<typeof plan, 'Sat Exam'> = { examId: 'e', at: new Date() }
    const check = (outbox: Outbox<typeof plan>, tx: EntityManager) => {
      const base = { portalId: 'p', userId: 'u' }
      outbox.track(tx, 'Sat Exam', { ...base, properties: good })
      outbox.track(tx, 'Sat Exam', { portalId: 'p', anonymousId: 'a', properties: good })
      // @ts-expect-error no such event
      outbox.track(tx, 'Sat Exma', { ...base, properties: good })
      // @ts-expect-error a property is missing
      outbox.track(tx, 'Sat Exam', { ...base, properties: { at: new Date() } })
      // @ts-expect-error a property has the wrong type
      outbox.track(tx, 'Sat Exam', { ...base, properties: { ...good, score: '10' } })
      // @ts-expect-error a property is not in the plan
      outbox.track(tx, 'Sat Exam', { ...base, properties: { ...good, title: 'Anatomy' } })
      // @ts-expect-error nobody did it
      outbox.track(tx, 'Sat Exam', { portalId: 'p', properties: good })
      // @ts-expect-error no portal
      outbox.track(tx, 'Sat Exam', { userId: 'u', properties: good })
      // @ts-expect-error no transaction
      outbox.track('Sat Exam', { ...base, properties: good })
      // @ts-expect-error a group without its id
      outbox.group(tx, { ...base, traits: {} })
      // @ts-expect-error `record` checks each call by its event
      outbox.record(tx, [{ type: 'track', event: 'Sat Exam', ...base, properties: {} }])
    }
    expect(check).toBeInstanceOf(Function)
  })
})
