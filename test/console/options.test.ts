import { OptionsError } from 'synap-outbox'
import { type ConsoleOptions, createConsole } from 'synap-outbox/console'
import { createScene, type Scene } from '../support/scene'

let scene: Scene
beforeAll(async () => {
  scene = await createScene()
})
afterAll(() => scene.end())

const refusal = (given: object) => {
  try {
    createConsole({ outbox: scene.outbox(), authorize: () => undefined, ...given } as ConsoleOptions)
  } catch (error) {
    return error
  }
  return undefined
}

describe('createConsole', () => {
  it('refuses to exist without a way to tell who may look', () => {
    const error = refusal({ authorize: undefined })
    expect(error).toBeInstanceOf(OptionsError)
    expect((error as OptionsError).parts).toEqual([
      expect.stringContaining('no "authorize" function'),
      expect.stringContaining('personal data of every portal'),
      expect.stringContaining('{ actor, mayChange }'),
    ])
  })

  it.each([
    ['authorize: true', { authorize: true }, /no "authorize" function/],
    ['an unknown option', { authorise: () => undefined }, /no option "authorise".*outbox, authorize, path/],
    ['no outbox', { outbox: {} }, /"outbox".*createOutbox returned/],
    ['a path without a slash', { path: 'outbox' }, /"path".*slash in front/],
    ['a path with a slash at its end', { path: '/outbox/' }, /"path"/],
    ['the root', { path: '/' }, /"path"/],
    ['onError that is none', { onError: 'log' }, /"onError".*function/],
  ])('refuses %s, and says what to pass', (_, given, sentence) => {
    const error = refusal(given)
    expect(error).toBeInstanceOf(OptionsError)
    expect((error as Error).message).toMatch(sentence)
  })

  it('takes a path of several parts', () => {
    expect(refusal({ path: '/internal/outbox' })).toBeUndefined()
  })
})
