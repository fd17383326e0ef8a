import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { OptionsError } from '../errors'
import type { Outbox } from '../outbox'

/** Who looks at the console. */
export interface Operator {
  /** Their name, as the audit trail will show it. */
  actor: string
  /** Whether they may change anything, or look only. */
  mayChange: boolean
}

/** What the console needs of an outbox. */
export type ConsoleOutbox = Pick<
  Outbox,
  'inspect' | 'redrive' | 'discard' | 'reconcile' | 'sources' | 'deriveKeys'
>

/** Options of `createConsole`. Unknown ones are refused. */
export interface ConsoleOptions {
  outbox: ConsoleOutbox
  /**
   * Decides about every request but that of the style sheet: who it is from, or undefined where they may not look. It
   * gets Node's request as the server has it, with what the application's own middleware put on it (a session, a
   * user). Where it throws or rejects nobody is let in.
   */
  authorize: (request: IncomingMessage) => Promise<Operator | undefined> | Operator | undefined
  /** Where the console is, as a browser sees it; no slash at its end. Default "/outbox". */
  path?: string
  /** Told of every error that the console did not foresee. The person sees a page without its details. */
  onError?: (error: unknown) => void
}

const options = z.strictObject({
  outbox: z.custom<ConsoleOutbox>(isOutbox),
  authorize: z.custom<ConsoleOptions['authorize']>(isFunction),
  path: z
    .string()
    .regex(/^(\/[A-Za-z0-9._~-]+)+$/)
    .default('/outbox'),
  onError: z.custom<NonNullable<ConsoleOptions['onError']>>(isFunction).default(() => ignore),
})

const expected: Record<string, string> = {
  outbox: 'Pass what createOutbox returned.',
  authorize:
    'Pass `authorize: async (request) => …`, which returns `{ actor, mayChange }` for those who may look, and undefined for all others.',
  path: 'Pass a path such as "/outbox": a slash in front, none at the end.',
  onError: 'Pass a function that takes an error, or leave it out.',
}

/** Validates the options and fills in defaults. Throws OptionsError. */
export function resolveConsoleOptions(given: ConsoleOptions): z.output<typeof options> {
  const result = options.safeParse(given)
  if (result.success) return result.data
  const issue = result.error.issues[0] as z.core.$ZodIssue
  if (issue.code === 'unrecognized_keys') {
    throw new OptionsError(
      `createConsole has no option "${issue.keys[0]}".`,
      'A misspelt option would silently keep its default.',
      `The options are ${Object.keys(expected).join(', ')}.`,
    )
  }
  const name = String(issue.path[0] ?? 'options')
  if (name === 'authorize') {
    throw new OptionsError(
      'createConsole has no "authorize" function.',
      'The console shows personal data of every portal and changes what is sent: it is not there without one.',
      expected.authorize as string,
    )
  }
  throw new OptionsError(
    `The option "${name}" of createConsole is not valid.`,
    'The console will not guess what was meant.',
    expected[name] ?? 'Pass an object with outbox and authorize.',
  )
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}

function isOutbox(value: unknown): boolean {
  return typeof (value as Partial<ConsoleOutbox> | undefined)?.deriveKeys === 'function'
}

function ignore(): void {}
