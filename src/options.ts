import cron from 'node-cron'
import type { DataSource } from 'typeorm'
import { z } from 'zod'
import { OptionsError } from './errors'
import type { Logger } from './events'
import type { Plan } from './plan/define-plan'
import { isPlan } from './plan/is-plan'
import { BATCH_BYTES, BATCH_MESSAGES } from './segment/limits'

/** For a limit of `max`, a default and the bounds are part of what a wrong option's error says. */
const integer = (min: number, max: number, preset: number) =>
  z
    .int()
    .min(min)
    .max(max)
    .default(preset)
    .describe(`a whole number from ${min} to ${max}; default ${preset}`)
const days = (preset: number) =>
  z.number().positive().max(3650).default(preset).describe(`days, up to 3650; default ${preset}`)
const cronExpression = (preset: string) =>
  z
    .string()
    .refine((expression) => cron.validate(expression))
    .default(preset)
    .describe(`a cron expression, in UTC, with optional seconds; default "${preset}"`)
const origin = z.url({ protocol: /^https?$/ }).describe('an origin such as "https://api.segment.io"')

const MINUTE = 60_000
const HOUR = 60 * MINUTE

const segment = z
  .strictObject({
    /** Replaces Segment's tracking API: one origin for both regions, or one each. For a proxy or the local Segment. */
    host: z.union([origin, z.strictObject({ us: origin, eu: origin })]).optional(),
    /** Replaces the endpoint that write keys are verified with. Default: `host` where given, else Segment's own. */
    settingsHost: origin.optional(),
    /** Milliseconds from the start of a request to the last byte of its answer. */
    timeoutMs: integer(100, 10 * MINUTE, 10_000),
  })
  .prefault({})

const dispatcher = z
  .strictObject({
    /** When to look for work that no wake-up told of: other processes' commits, ended back-offs, crashes. */
    cron: cronExpression('*/5 * * * * *'),
    /**
     * Sources served at the same time. Each takes a pooled connection or two for moments, and holds none while a request
     * is out. With few, quiet portals queue behind a flooded and a slow one (benchmark `fair`).
     */
    concurrency: integer(1, 256, 16),
    /** How long a lease lasts without renewal: how long a crashed process keeps its sources waiting. */
    leaseMs: integer(1000, HOUR, 30_000),
    /** How long a source may go on while others wait. Where places are free, up to ten seconds. */
    turnMs: integer(1, 10 * MINUTE, 1000),
    /**
     * Least time from the start of one turn of a source that sends all it has to the start of the next: what is
     * committed meanwhile goes out together. The first message after a pause never waits for it, nor does a backlog: a
     * turn goes on while what it reads fills a request. 0 for no such pause.
     */
    lingerMs: integer(0, 10_000, 50),
    /**
     * How many times as long as its statements took a source with a backlog rests after each batch, a second at most,
     * while this process answers HTTP requests or commits for other sources: the application goes first. Meanwhile it
     * sends up to 100 messages in one request, and reads none ahead. Shared by the sources that give way. 0 for none of it.
     */
    giveWay: integer(0, 100, 30),
    /** Messages in one request. */
    batchMessages: integer(1, BATCH_MESSAGES, BATCH_MESSAGES),
    /** Bytes in one request. One message may pass it. */
    batchBytes: integer(1000, BATCH_BYTES, BATCH_BYTES),
    /** For how long after the first moment Segment may have accepted a message it may be sent again. */
    dedupWindowMs: integer(1000, 24 * HOUR, 23 * HOUR),
    backoff: z
      .strictObject({
        /** First pause after a failure; doubles with each further one, with full jitter. */
        initialMs: integer(1, HOUR, 1000),
        /** Longest pause. */
        maxMs: integer(1, 24 * HOUR, MINUTE),
        /** Shortest pause after the write key was refused: only a person can mend that. */
        refusedMs: integer(1, 24 * HOUR, 5 * MINUTE),
      })
      .prefault({}),
  })
  .prefault({})

const retention = z
  .strictObject({
    /** When to prune. */
    cron: cronExpression('17 * * * *'),
    /** How long delivered messages are kept. As long, recording the same fact again is noticed. */
    deliveredDays: days(14),
    deadDays: days(90),
    uncertainDays: days(90),
    discardedDays: days(30),
    /** How long the history of sends is kept. */
    batchDays: days(30),
    /** Rows removed by one statement. */
    chunk: integer(1, 100_000, 2000),
  })
  .prefault({})

const schema = z.strictObject({
  dataSource: z.custom<DataSource>(isPostgres).describe('a TypeORM DataSource of type "postgres"'),
  secretKeys: z.string().optional().describe('"id:base64" pairs, separated by commas'),
  /** Where the outbox's tables are, if not in the DataSource's own schema; see `outboxIn`. */
  schema: z.string().min(1).max(63).optional().describe('the name of a schema, up to 63 characters'),
  plan: z.custom<Plan>(isPlan).optional().describe('what definePlan returned'),
  /** What becomes of a call that cannot be sent: stored dead and reported, or thrown into the business transaction. */
  invalid: z.enum(['divert', 'throw']).default('divert').describe('"divert" or "throw"; default "divert"'),
  segment,
  dispatcher,
  retention,
  logger: z
    .custom<Logger>(isLogger)
    .optional()
    .describe('an object with debug, info, warn and error, such as pino’s'),
})

export type ResolvedOptions = z.output<typeof schema>

/** Options of `createOutbox`. Unknown or contradictory ones are refused at construction. */
export interface OutboxOptions<P extends Plan = Plan>
  extends Omit<z.input<typeof schema>, 'plan' | 'dataSource' | 'logger'> {
  /** The application's DataSource. May still be uninitialised. */
  dataSource: DataSource
  /**
   * Keys that write keys are encrypted with: `id:base64` pairs, separated by commas, 32 bytes each; the first
   * encrypts. Usually `process.env.OUTBOX_SECRET_KEYS`.
   */
  secretKeys: string | undefined
  /** The tracking plan. Default: Synap's own. */
  plan?: P
  /** A pino-compatible logger. Default: none. */
  logger?: Logger
}

/** Validates the options and fills in defaults. Throws OptionsError. */
export function resolveOptions(options: unknown): ResolvedOptions {
  const result = schema.safeParse(options)
  if (!result.success) {
    const [issue] = result.error.issues
    throw explain(issue as z.core.$ZodIssue)
  }
  checkContradictions(result.data)
  return result.data
}

function explain(issue: z.core.$ZodIssue): OptionsError {
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    const unknown = issue.keys[0] ?? ''
    const known = Object.keys(shapeAt(path))
    const similar = known.find((name) => similarNames(name, unknown))
    return new OptionsError(
      `There is no option "${[...path, unknown].join('.')}".`,
      'A misspelt option would silently keep its default.',
      similar
        ? `Did you mean "${[...path, similar].join('.')}"?`
        : `The options here are ${known.join(', ')}.`,
    )
  }
  const described = path.length > 0 ? describeAt(path) : undefined
  return new OptionsError(
    `The option "${path.join('.') || 'options'}" is not valid: ${issue.message}.`,
    'The outbox will not guess what was meant.',
    described ? `It has to be ${described}.` : 'See the documentation of createOutbox.',
  )
}

function checkContradictions(options: ResolvedOptions): void {
  const { dispatcher, segment, retention, dataSource } = options
  if (segment.timeoutMs * 2 > dispatcher.leaseMs) {
    throw new OptionsError(
      `segment.timeoutMs (${segment.timeoutMs}) is more than half of dispatcher.leaseMs (${dispatcher.leaseMs}).`,
      'A request could outlive its lease, and another process would send the same batch meanwhile.',
      'Raise dispatcher.leaseMs to at least twice segment.timeoutMs, or lower segment.timeoutMs.',
    )
  }
  if (dispatcher.backoff.initialMs > dispatcher.backoff.maxMs) {
    throw new OptionsError(
      `dispatcher.backoff.initialMs (${dispatcher.backoff.initialMs}) is above maxMs (${dispatcher.backoff.maxMs}).`,
      'The first pause would be longer than the longest.',
      'Lower initialMs or raise maxMs.',
    )
  }
  if (retention.deliveredDays * 24 * HOUR < dispatcher.dedupWindowMs) {
    throw new OptionsError(
      `retention.deliveredDays (${retention.deliveredDays}) is shorter than dispatcher.dedupWindowMs.`,
      'A fact recorded again after its row was pruned would be sent again.',
      'Keep delivered messages for at least a day.',
    )
  }
  if (dataSource.options.synchronize) {
    throw new OptionsError(
      'The DataSource has `synchronize` on.',
      'It drops the partial indexes that the outbox’s order and speed rest on, each time the application starts.',
      'Set `synchronize: false` and run migrations.',
    )
  }
}

/** The fields of the options object at a path; empty where there is none. */
function shapeAt(path: readonly string[]): Record<string, z.ZodType> {
  let at: z.ZodType | undefined = schema
  for (const name of path) at = objectShape(at)[name]
  return objectShape(at)
}

function describeAt(path: readonly string[]): string | undefined {
  return shapeAt(path.slice(0, -1))[path.at(-1) ?? '']?.description
}

function objectShape(type: z.ZodType | undefined): Record<string, z.ZodType> {
  if (type instanceof z.ZodObject) return type.shape
  if (type instanceof z.ZodPrefault || type instanceof z.ZodDefault || type instanceof z.ZodOptional) {
    return objectShape(type.unwrap() as z.ZodType)
  }
  return {}
}

/** Names that differ in case, or by one missing, added or changed letter: what typing errors look like. */
function similarNames(a: string, b: string): boolean {
  const [x, y] = [a.toLowerCase(), b.toLowerCase()]
  if (x === y || x.startsWith(y) || y.startsWith(x)) return true
  let at = 0
  while (at < x.length && x[at] === y[at]) at++
  return [
    x.slice(at + 1) === y.slice(at + 1),
    x.slice(at) === y.slice(at + 1),
    x.slice(at + 1) === y.slice(at),
  ].includes(true)
}

function isPostgres(value: unknown): boolean {
  return (value as DataSource | undefined)?.options?.type === 'postgres'
}

function isLogger(value: unknown): boolean {
  const methods = ['debug', 'info', 'warn', 'error'] as const
  return methods.every((name) => typeof (value as Logger | undefined)?.[name] === 'function')
}
