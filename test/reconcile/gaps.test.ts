import { type ComparedBatch, GapFinder } from '../../src/reconcile/gaps'

/** Batches are written as they went: capitals arrived, small letters are missing; one letter is one event. */
function gaps(...batches: readonly string[]) {
  const finder = new GapFinder()
  for (const [i, text] of batches.entries()) {
    const [letters = '', mark] = text.split('!')
    const calls = [...letters].map((letter) => ({
      type: 'track' as const,
      event: letter.toUpperCase(),
      letter,
    }))
    const missing = calls.flatMap(({ letter, ...call }, n) =>
      letter === letter.toLowerCase() ? { ...call, messageId: `${i}-${n}` } : [],
    )
    const batch: ComparedBatch = {
      settledAt: new Date(i * 1000),
      insideWindow: true,
      sentBefore: mark === 'again',
      found: calls.filter(({ letter }) => letter !== letter.toLowerCase()),
      missing: mark === 'young' ? [] : missing,
      awaited: mark === 'young' ? missing : [],
    }
    finder.add(batch)
  }
  return finder
    .finish(null)
    .map(({ cause, event, messages }) => [cause, ...(event ? [event] : []), messages].join(' '))
}

describe('the likely cause of a gap', () => {
  it.each<[string, string[], string[]]>([
    ['nothing missing', ['AB', 'C'], []],
    ['a source that never arrived', ['ab', 'c'], ['key-or-region 3']],
    ['a single batch, and nothing since', ['AB', 'ab'], ['key-or-region 2']],
    ['a key that died', ['AB', 'ab', 'cc'], ['key-or-region 4']],
    ['a key that died and was replaced', ['AB', 'ab', 'a', 'AB'], ['key-or-region 3']],
    ['a key that died twice', ['AB', 'ab', 'b', 'AB', 'a', 'ab'], ['key-or-region 6']],
    ['an event that is blocked in mixed batches', ['ABc', 'ABc'], ['plan-block C 2']],
    ['an event that is blocked in batches of its own', ['c', 'AB', 'cc', 'A'], ['plan-block C 3']],
    ['an event that was blocked for a while', ['C', 'Ac', 'Bc', 'C'], ['plan-block C 2']],
    ['two blocked events', ['Abc', 'Ab'], ['plan-block B 2', 'plan-block C 1']],
    ['batches that are too long', ['AA', 'aaaa', 'AAA', 'aaaaa', 'A'], ['oversize-batch 9']],
    ['a long batch, and nothing since', ['AA', 'aaaa'], ['key-or-region 4']],
    ['a lone batch of the usual size', ['AAAA', 'aa', 'A'], ['unknown 2']],
    ['some of an event in one batch', ['AaB'], ['unknown 1']],
    ['some of an event over time', ['Ba', 'A', 'Ba'], ['unknown 2']],
    ['a blocked event and a dead key', ['ABc', 'ABc', 'ab', 'aa'], ['key-or-region 4', 'plan-block C 2']],
    ['what is too young', ['AB', 'ab!young'], ['not-loaded-yet 2']],
    ['what was sent again in vain', ['AB', 'c!again', 'A'], ['dropped-as-duplicate 1']],
    [
      'a blocked event that was sent again in vain',
      ['Ac', 'Bc', 'c!again'],
      ['plan-block C 2', 'dropped-as-duplicate 1'],
    ],
  ])('%s', (_, batches, expected) => {
    expect(gaps(...batches)).toEqual(expected)
  })

  it('keeps its times, a few examples, and how many may be sent again safely', () => {
    const finder = new GapFinder()
    for (let i = 0; i < 10; i++) {
      finder.add({
        settledAt: new Date(i),
        insideWindow: i >= 6,
        sentBefore: false,
        found: [],
        missing: [{ type: 'page', event: null, messageId: String(i) }],
        awaited: [],
      })
    }
    expect(finder.finish(new Date(0))).toEqual([
      expect.objectContaining({
        messages: 10,
        insideWindow: 4,
        firstAt: new Date(0),
        lastAt: new Date(9),
        examples: ['0', '1', '2', '3', '4'],
        explanation: expect.stringContaining('the newest row there is of 1970-01-01 00:00:00 UTC'),
      }),
    ])
  })
})
