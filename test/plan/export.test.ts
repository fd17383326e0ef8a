import fs from 'node:fs'
import path from 'node:path'
import Ajv, { type ValidateFunction } from 'ajv'
import Ajv2020 from 'ajv/dist/2020'
import {
  dateTime,
  definePlan,
  planJsonSchema,
  planMarkdown,
  segmentTrackingPlan,
  synapPlan,
} from 'synap-outbox'
import { z } from 'zod'
import { planTable } from '../../src/plan/export/markdown'
import { prepareCall } from '../../src/record/prepare'
import { beganTest } from '../support/scene'
import format from './fixtures/replace-rules-in-tracking-plan.schema.json'

// Formats are not the subject, and ajv knows none without another package.
const options = { validateFormats: false, strict: false } as const
const plain = (value: unknown) => JSON.parse(JSON.stringify(value))
const text = z.string()

describe('the plan for Segment Protocols', () => {
  const documented = new Ajv(options).compile(format)

  it('is what the Public API documents', () => {
    const exported = plain(segmentTrackingPlan(synapPlan))
    expect({ valid: documented(exported), errors: documented.errors }).toEqual({ valid: true, errors: null })
    expect(exported.rules.map(({ type, key }: { type: string; key?: string }) => [type, key])).toEqual([
      ...Object.keys(synapPlan.events).map((event) => ['TRACK', event]),
      ['IDENTIFY', undefined],
      ['GROUP', undefined],
      ['PAGE', undefined],
    ])
  })

  it('is refused by the documented format where a rule is not as documented', () => {
    const [rule] = plain(segmentTrackingPlan(synapPlan)).rules
    for (const wrong of [
      { ...rule, version: '1' },
      { ...rule, type: 'track' },
      { ...rule, key: undefined },
      { ...rule, jsonSchema: { ...rule.jsonSchema, $schema: undefined } },
    ]) {
      expect(documented(plain({ rules: [wrong] }))).toBe(false)
    }
  })

  it('lets through what is recorded, as it is on the wire, and nothing else', () => {
    const { rules } = plain(segmentTrackingPlan(synapPlan))
    const rule = (name: string): ValidateFunction => {
      const found = rules.find((each: { type: string; key?: string }) => (each.key ?? each.type) === name)
      return new Ajv(options).compile(found.jsonSchema)
    }
    const wire = (call: object) =>
      JSON.parse(prepareCall(synapPlan, { portalId: 'p', userId: 'u', ...call }).body)
    const begun = { type: 'track', event: 'Began Test' }
    expect(rule('Began Test')(wire({ ...begun, properties: beganTest() }))).toBe(true)
    expect(rule('Began Test')(wire({ ...begun, properties: { ...beganTest(), attemptNumber: 'one' } }))).toBe(
      false,
    )
    expect(rule('Began Test')(wire({ ...begun, properties: { ...beganTest(), title: 'Anatomy' } }))).toBe(
      false,
    )
    const traits = { email: 'a@b.example', 'EI-Cohort': 7, createdAt: new Date() }
    expect(rule('IDENTIFY')(wire({ type: 'identify', traits }))).toBe(true)
    expect(rule('IDENTIFY')(wire({ type: 'identify', traits: { ...traits, name: 1 } }))).toBe(false)
    // The client copies the category into the properties.
    const page = { type: 'page', category: 'Exams', name: 'Exam', properties: { path: '/exams/1' } }
    expect(rule('PAGE')(wire(page))).toBe(true)
  })

  it('has no patterns that look around, which Protocols refuse, and no formats that are none of draft-07', () => {
    const plan = definePlan({
      E: {
        properties: z.strictObject({
          ahead: text.regex(/^(?!a)/),
          behind: text.regex(/(?<=a)b/),
          kept: text.regex(/^(?:a|b)$/),
          path: text.startsWith('/'),
          at: dateTime(),
        }),
        key: (p) => p.path,
      },
    })
    const [rule] = plain(segmentTrackingPlan(plan)).rules
    expect(rule.jsonSchema.properties.properties.properties).toEqual({
      ahead: { type: 'string' },
      behind: { type: 'string' },
      kept: { type: 'string', pattern: '^(?:a|b)$' },
      path: { type: 'string', pattern: '^\\/.*' },
      at: { type: 'string', format: 'date-time' },
    })
  })

  it('has no rule for calls that the plan leaves open', () => {
    const plan = definePlan({ E: { properties: z.strictObject({ a: text }), key: (p) => p.a, version: 3 } })
    expect(segmentTrackingPlan(plan).rules).toMatchObject([{ key: 'E', type: 'TRACK', version: 3 }])
  })

  it('is chosen by the version that the message carries', () => {
    const properties = z.strictObject({ a: text })
    const plan = definePlan({
      Old: { properties, key: (p) => p.a },
      New: { properties, key: (p) => p.a, version: 2 },
    })
    const context = (event: string, given?: object) =>
      JSON.parse(
        prepareCall(plan, {
          type: 'track',
          event,
          portalId: 'p',
          userId: 'u',
          properties: { a: 'a' },
          context: given,
        }).body,
      ).context
    expect(context('Old')).toBeUndefined()
    expect(context('New')).toEqual({ protocols: { event_version: 2 } })
    expect(context('New', { ip: '10.0.0.1', protocols: { x: 1 } })).toEqual({
      ip: '10.0.0.1',
      protocols: { x: 1, event_version: 2 },
    })
  })
})

describe('the plan as a JSON Schema', () => {
  const schema = plain(planJsonSchema(synapPlan))

  it('accepts the calls of the plan, and no others', () => {
    const accepts = new Ajv2020(options).compile(schema)
    const begun = { type: 'track', event: 'Began Test', userId: 'u' }
    expect(accepts({ ...begun, properties: beganTest() })).toBe(true)
    expect(accepts({ ...begun, event: 'Began Tset', properties: beganTest() })).toBe(false)
    expect(accepts({ ...begun, properties: {} })).toBe(false)
    expect(accepts({ type: 'identify', userId: 'u', traits: { firstName: 'Ada' } })).toBe(true)
    expect(accepts({ type: 'identify', userId: 'u', traits: { firstName: 1 } })).toBe(false)
  })

  it('says of each event what a schema cannot', () => {
    const answered = schema.anyOf.find((call: { title: string }) => call.title === 'Question Answered')
    expect(answered).toMatchObject({
      description: 'A user answers a question, or changes the answer. Detailed Event Tracking only.',
      'x-version': 1,
      'x-schema-hash': synapPlan.schemaHashes.get('Question Answered'),
      'x-natural-key': ['attemptId', 'questionId', 'revision'],
      'x-detailed': true,
    })
  })

  it('keeps references to schemas that have an id', () => {
    const id = text.min(3).meta({ id: 'identifier' })
    const plan = definePlan({ E: { properties: z.strictObject({ a: id, b: id }), key: (p) => p.a } })
    const accepts = new Ajv2020(options).compile(plain(planJsonSchema(plan)))
    expect(accepts({ type: 'track', event: 'E', properties: { a: 'abc', b: 'abc' } })).toBe(true)
    expect(accepts({ type: 'track', event: 'E', properties: { a: 'abc', b: 'ab' } })).toBe(false)
    const [rule] = segmentTrackingPlan(plan).rules
    const protocols = new Ajv(options).compile(plain(rule?.jsonSchema))
    expect(protocols({ properties: { a: 'abc', b: 'ab' } })).toBe(false)
  })
})

describe('the plan for people', () => {
  const repository = path.resolve(__dirname, '../..')

  it('tells each property’s column, type and meaning', () => {
    const lines = planMarkdown(synapPlan).split('\n')
    expect(lines).toEqual(
      expect.arrayContaining([
        '| Event | Recorded when | Natural key |',
        '| User Logged In | A user explicitly logs in. | sessionId |',
        '### Completed Test',
        '| `percentage` | `percentage` | float | yes | score of maxScore, at most two decimals |',
        '| `submittedAt` | `submitted_at` | timestamp |  | When it was submitted; marking can come days later |',
        '| `itemType` | `item_type` | varchar | yes | `article`, `video`, `audio`, `document`, `link`, `test` |',
        'Warehouse: `identifies`, `users`. Others may come along, each as a column of its own.',
      ]),
    )
  })

  it('keeps every text in its cell', () => {
    const properties = z.strictObject({ a: text.describe('one | two\nthree') }).describe('x | y')
    const plan = definePlan({ 'A | B': { properties, key: (p) => p.a.split('-'), version: 2 } })
    expect(planMarkdown(plan).split('\n')).toEqual(
      expect.arrayContaining([
        '| A \\| B (version 2) | x \\| y | a |',
        '| `a` | `a` | varchar | yes | one \\| two three |',
      ]),
    )
  })

  it('is the README’s table, and the document’s', () => {
    const read = (file: string) => fs.readFileSync(path.join(repository, file), 'utf8')
    expect(read('README.md')).toContain(planTable(synapPlan))
    // Written by `npx synap-outbox plan`, with its headings one level down.
    expect(read('docs/tracking-plan.md')).toContain(planMarkdown(synapPlan))
  })
})
