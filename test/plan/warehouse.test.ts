import { dateTime, definePlan, PlanError, synapPlan } from 'synap-outbox'
import { z } from 'zod'
import { columnName, isReservedTable, snakeCase } from '../../src/plan/warehouse-names'

const text = z.string()
const key = () => 'k'
const event = (shape: z.ZodRawShape) => ({ properties: z.strictObject(shape), key })
/** A plan with the one event `Sat Exam`. */
const plan = (shape: z.ZodRawShape) => definePlan({ 'Sat Exam': event(shape) })
/** A schema that contains itself, as a comment with its answers does. */
const thread = z.strictObject({
  text,
  get answer() {
    return thread.optional()
  },
})
const mixed = z.union([text, z.number()])

describe('a plan that a warehouse would not keep as written', () => {
  it.each<[string, () => unknown, RegExp]>([
    [
      'a reserved column',
      () => plan({ 'User ID': text }),
      /"User ID" of "Sat Exam" becomes the warehouse column "user_id".* discard .* Rename it/,
    ],
    [
      'a column that is reserved once objects are flattened',
      () => plan({ user: z.strictObject({ id: text }) }),
      /"user.id" of "Sat Exam" becomes the warehouse column "user_id"/,
    ],
    ['a column of the context', () => plan({ contextIp: text }), /"context_ip".* fields of `context`/],
    [
      'two names of one column',
      () => plan({ testId: text, 'test-id': text }),
      /"test-id" of "Sat Exam" and "testId" become the same warehouse column, "test_id"/,
    ],
    [
      'two names of one column, one of them nested',
      () => plan({ exam_room: text, exam: z.strictObject({ room: text }) }),
      /"exam.room" of "Sat Exam" and "exam_room" become the same/,
    ],
    ['a union of types', () => plan({ score: mixed }), /"score" .* varchar, float.* first value .* fixes/],
    ['an enum of types', () => plan({ grade: z.literal(['A', 1]) }), /several types: varchar, float/],
    ['a moment or a text', () => plan({ at: z.union([dateTime(), text]) }), /types: timestamp, varchar/],
    [
      'a union of objects that type a member differently',
      () =>
        plan({
          mark: z.discriminatedUnion('by', [
            z.strictObject({ by: z.literal('machine'), value: z.number() }),
            z.strictObject({ by: z.literal('teacher'), value: text }),
          ]),
        }),
      /"mark.value" of "Sat Exam" may be of several types: float, varchar/,
    ],
    ['an array', () => plan({ answers: z.array(text) }), /"answers" .* is an array.* text .* 512 characters/],
    [
      'an array inside an object',
      () => plan({ exam: z.strictObject({ rooms: z.tuple([text]) }).optional() }),
      /"exam.rooms" of "Sat Exam" is an array/,
    ],
    ['anything', () => plan({ extra: z.unknown() }), /"extra" of "Sat Exam" may hold anything/],
    ['a record', () => plan({ marks: z.record(text, z.number()) }), /"marks" .* object of any names/],
    ['a loose object', () => plan({ exam: z.looseObject({ room: text }) }), /"exam" .* any names/],
    ['an object in itself', () => plan({ thread }), /"thread.answer" of "Sat Exam" contains itself/],
    [
      'an object in itself, by its id',
      () => plan({ thread: thread.meta({ id: 'thread' }) }),
      /contains itself/,
    ],
    ['a transform of unknown end', () => plan({ a: text.transform(Number) }), /no JSON Schema/],
    ['a name of other letters', () => plan({ 得点: text }), /"得点" of "Sat Exam" has no ASCII letter/],
    [
      'a column of 64 bytes',
      () => plan({ [`a${'b'.repeat(31)}C${'d'.repeat(30)}`]: text }),
      /which is 64 bytes long.* cuts names at 63/,
    ],
    [
      'an event of Segment’s',
      () => definePlan({ Users: event({}) }),
      /"Users" .* table "users".* for itself/,
    ],
    [
      'two events of one table',
      () => definePlan({ 'Sat Exam': event({}), 'sat-exam': event({}) }),
      /"Sat Exam" and "sat-exam" become the same warehouse table, "sat_exam"/,
    ],
    ['an event of 64 bytes', () => definePlan({ [`Sat ${'x'.repeat(60)}`]: event({}) }), /table .* 64 bytes/],
    [
      'a trait that is an array',
      () => definePlan({}, { identify: z.object({ roles: z.array(text) }) }),
      /The trait "roles" of identify is an array/,
    ],
    [
      'a page property of several types',
      () => definePlan({}, { page: z.object({ ref: mixed }) }),
      /The property "ref" of page may be of several types/,
    ],
    [
      'a trait that takes the place of the group’s id',
      () => definePlan({}, { group: z.object({ groupId: text }) }),
      /The trait "groupId" of group becomes the warehouse column "group_id"/,
    ],
  ])('is refused: %s', (_, define, message) => {
    expect(define).toThrow(PlanError)
    expect(define).toThrow(message)
  })

  it.each<[string, () => unknown]>([
    ['one type and null', () => plan({ a: text.nullable().optional(), b: z.enum(['x', 'y']) })],
    ['whole numbers and fractions', () => plan({ a: z.union([z.int(), z.number()]) })],
    ['nested objects', () => plan({ exam: z.strictObject({ room: z.object({ number: z.int() }) }) })],
    [
      'a schema that is used twice',
      () => plan({ a: text.meta({ id: 'text' }), b: text.meta({ id: 'other' }) }),
    ],
    [
      'objects of one shape and another',
      () => plan({ a: z.union([z.strictObject({ b: text }), z.strictObject({ b: text, c: text })]) }),
    ],
    ['a transform that is piped', () => plan({ a: mixed.transform(String).pipe(text) })],
    ['what is vouched for', () => plan({ a: z.unknown().meta({ type: 'string' }) })],
    ['group_id outside of groups', () => plan({ groupId: text })],
    ['a column of 63 bytes', () => plan({ [`a${'b'.repeat(62)}`]: text })],
    [
      'open traits',
      () => definePlan({}, { identify: z.looseObject({ a: text }), page: z.record(text, z.any()) }),
    ],
    [
      'traits that are transformed',
      () => definePlan({}, { identify: z.object({ a: text.transform(Number) }) }),
    ],
    ['Synap’s own plan', () => definePlan(synapPlan.events, synapPlan.calls)],
  ])('is accepted otherwise: %s', (_, define) => {
    expect(define).not.toThrow()
  })
})

describe('warehouse names', () => {
  // The examples of Segment's package, which its documentation names, and those where its rules surprise.
  it.each([
    ['attemptId', 'attempt_id'],
    ['User ID', 'user_id'],
    ['EI-Cohort', 'ei_cohort'],
    ['HTTPStatus', 'httpstatus'],
    ['already_snake', 'already_snake'],
    ['sample___text', 'sample_text'],
    ['inviteYourCustomersAddInvites', 'invite_your_customers_add_invites'],
    ['   $#$sample   2    Text   ', 'sample_2_text'],
    ['SAMPLE 2 TEXT', 'sample_2_text'],
    ['___$$Base64Encode', 'base64_encode'],
    ['base64Encode', 'base6_4encode'],
    ['FOO:BAR$BAZ', 'foo_bar_baz'],
    ['something.com', 'something_com'],
    ['•¶§ƒ˚foo˙∆˚¬', 'foo'],
    ['_kept', '_kept'],
    ['trailing_', 'trailing'],
    ['', ''],
  ])('%s becomes %s', (name, column) => {
    expect(snakeCase(name)).toBe(column)
  })

  it('are joined where objects are flattened', () => {
    expect(columnName(['productId', 'SKU'])).toBe('product_id_sku')
  })

  it('know Segment’s own tables', () => {
    const own = ['accounts', 'aliases', 'groups', 'identifies', 'pages', 'screens', 'tracks', 'users']
    expect([...own, 'began_test'].filter(isReservedTable)).toEqual(own)
  })
})
