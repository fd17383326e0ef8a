import fc from 'fast-check'
import { messageId } from 'synap-outbox'
import { factText } from '../../src/plan/message-id'

const [one, two] = ['00000000-0000-4000-8000-000000000001', 'ffffffff-ffff-4fff-bfff-ffffffffffff']

describe('the text of a fact', () => {
  it('never changes', () => {
    expect(factText('Began Test', 'attempt-1')).toBe(factText('Began Test', ['attempt-1']))
    expect(factText('Began Test', ['a', 1])).toBe(factText('Began Test', ['a', '1']))
    expect([
      factText('Began Test', 'attempt-1'),
      messageId(one, 'Began Test', 'attempt-1'),
      messageId(two, 'Question Answered', ['attempt-1', 'question-1', 2]),
    ]).toMatchInlineSnapshot(`
[
  "["Began Test","attempt-1"]",
  "3ca3ade5-a5e9-8cac-a291-df7f7257806c",
  "84757ac6-1352-8d73-b913-ebf452a09aac",
]
`)
  })

  it('tells facts apart: by event, by each part, and by where a part ends', () => {
    const fact = fc.tuple(fc.string(), fc.array(fc.string(), { minLength: 1, maxLength: 3 }))
    fc.assert(
      fc.property(fact, fact, ([event, key], [otherEvent, otherKey]) => {
        const same = event === otherEvent && JSON.stringify(key) === JSON.stringify(otherKey)
        expect(factText(event, key) === factText(otherEvent, otherKey)).toBe(same)
      }),
    )
    expect(factText('E', ['ab', 'c'])).not.toBe(factText('E', ['a', 'bc']))
    expect(factText('E', ['a', 'b'])).not.toBe(factText('E', ['ab']))
  })
})

describe('the messageId of a fact', () => {
  it('is a UUIDv8 of the RFC’s variant, of its source alone', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.string(), fc.string(), (source, event, key) => {
        expect(messageId(source, event, key)).toMatch(
          /^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
        )
        expect(messageId(source, event, key)).toBe(messageId(source, event, key))
        expect(messageId(one, event, key)).not.toBe(messageId(two, event, key))
      }),
    )
  })
})
