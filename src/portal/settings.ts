import { parseArgs } from 'node:util'

/** What `npm start` was asked for, from the command line and the environment. */
export interface StartSettings {
  /** Run the scenario to its end, report, and exit. */
  readonly once: boolean
  /** Throw away what earlier runs left. */
  readonly reset: boolean
  /** Students in each portal. */
  readonly students: number
  /** Port of the portal's HTTP API. */
  readonly port: number
  /** A PostgreSQL of one's own; undefined starts the embedded one. */
  readonly databaseUrl?: string
  readonly secretKeys?: string
  /** Origin of Segment's tracking API, or of what stands in for it. */
  readonly segmentHost?: string
  /** A real workspace's write key. */
  readonly writeKey?: string
}

/** The command line cannot be understood, or a setting is missing: one sentence for a person, exit code 1. */
export class StartError extends Error {}

export const help = `Usage: npm start -- [options]

Starts the reference portal: PostgreSQL, the portal's HTTP API, the outbox's dispatcher, a local Segment,
and a class of students who sit exams through the API.

Options
  --once          run the scenario to its end, print a delivery report as the last line (JSON), exit 0 if every
                  committed event was accepted exactly once and nothing of a rolled-back transaction arrived
  --students N    students in each portal (default 32)
  --reset         throw away the embedded database of earlier runs
  --help          this text

Environment
  PORT                 port of the portal (default 3000; with --once a free one)
  DATABASE_URL         a PostgreSQL of your own instead of the embedded one
  OUTBOX_SECRET_KEYS   "id:base64" pairs that write keys are encrypted with; required with DATABASE_URL
                       (make one: echo "k1:$(openssl rand -base64 32)")
  SEGMENT_WRITE_KEY    send to this real Segment workspace instead of the local Segment
  SEGMENT_HOST         origin of the tracking API, for a proxy or a local Segment of your own`

/** Reads the settings. Returns undefined when only help was asked for. Throws StartError. */
export function readSettings(args: readonly string[], env: NodeJS.ProcessEnv): StartSettings | undefined {
  const values = parse(args)
  if (values.help) return undefined
  const databaseUrl = env.DATABASE_URL || undefined
  const secretKeys = env.OUTBOX_SECRET_KEYS || undefined
  if (databaseUrl && !secretKeys) {
    throw new StartError(
      'OUTBOX_SECRET_KEYS is not set: write keys are stored encrypted in your database, so they need a key that ' +
        'outlives this run. Set it to the output of: echo "k1:$(openssl rand -base64 32)"',
    )
  }
  return {
    once: values.once,
    reset: values.reset,
    students: integer(values.students, '--students', 1, 2000),
    port: integer(env.PORT || (values.once ? '0' : '3000'), 'PORT', 0, 65_535),
    databaseUrl,
    secretKeys,
    segmentHost: env.SEGMENT_HOST || undefined,
    writeKey: env.SEGMENT_WRITE_KEY || undefined,
  }
}

function parse(args: readonly string[]) {
  const flag = { type: 'boolean', default: false } as const
  const options = {
    once: flag,
    reset: flag,
    help: flag,
    students: { type: 'string', default: '32' },
  } as const
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw new StartError(`${(error as Error).message} Run with --help to see the options.`)
  }
}

function integer(text: string, name: string, min: number, max: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw new StartError(`${name} is "${text}", and has to be a whole number from ${min} to ${max}.`)
}
