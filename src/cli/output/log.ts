import type { Logger } from '../../events'
import { safe } from './safe-text'

type Level = keyof Logger

/** What a long-running command logs: a line each on stderr, readable or as JSON. What merely went well is left out. */
export function logTo(json: boolean): Logger {
  const log = (level: Level) => (fields: object, message: string) => {
    const known = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plain(value)]))
    const time = new Date().toISOString()
    const line = json
      ? JSON.stringify({ time, level, message, ...known })
      : `${time} ${level.padEnd(5)} ${message} ${pairs(known)}`
    process.stderr.write(`${safe(line)}\n`)
  }
  return { debug() {}, info: log('info'), warn: log('warn'), error: log('error') }
}

function pairs(fields: Record<string, unknown>): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(' ')
}

function plain(value: unknown): unknown {
  return value instanceof Error ? value.message : value
}
