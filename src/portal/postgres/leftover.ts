import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'

/** The setting by which a server tells which process started it. PostgreSQL carries it and makes nothing of it. */
export const OWNER_SETTING = 'synap.owner'

const PID_FILE = 'postmaster.pid'

/** Fast, then immediate: that one leaves recovery to the next start. Each with how long it may take. */
const SHUTDOWNS = [
  ['SIGINT', 10_000],
  ['SIGQUIT', 5000],
] as const

interface Inspected {
  readonly args: string
  readonly parent: number
}

/**
 * Ends a server that a killed process left on `directory`. Throws where its owner is still alive: that is not a
 * leftover but a second start.
 */
export async function endLeftover(directory: string): Promise<void> {
  const pid = postmasterPid(directory)
  const found = pid === undefined ? undefined : inspect(pid)
  if (pid === undefined || !found) return // PostgreSQL itself recovers the file of a process that is gone
  if (!serves(found, directory)) {
    // The pid is another process's by now. PostgreSQL would take any process of this account for a server.
    if (!found.args.includes('postgres')) fs.rmSync(path.join(directory, PID_FILE), { force: true })
    return
  }
  const owner = Number(new RegExp(`${OWNER_SETTING}=(\\d+)`).exec(found.args)?.[1])
  if (found.parent === owner) {
    throw new Error(
      `The database in ${directory} is in use by process ${owner}. Stop that one first, or use another folder.`,
    )
  }
  const gone = () => {
    const now = inspect(pid)
    return !now || !serves(now, directory)
  }
  for (const [signal, milliseconds] of SHUTDOWNS) {
    if (gone()) return
    try {
      process.kill(pid, signal)
    } catch {} // it went this very moment, or is not ours to end, which the wait will show
    if (await within(milliseconds, gone)) return
  }
  throw new Error(`The PostgreSQL of an earlier run does not end. End process ${pid}, then start again.`)
}

function serves(found: Inspected, directory: string): boolean {
  return found.args.includes(`-D ${directory} `)
}

function postmasterPid(directory: string): number | undefined {
  try {
    return Number(fs.readFileSync(path.join(directory, PID_FILE), 'utf8').split('\n')[0])
  } catch {
    return undefined
  }
}

/** A process's command line and parent; undefined where there is none, or the system does not tell. */
function inspect(pid: number): Inspected | undefined {
  try {
    const args = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { args, parent: Number(parent) }
  } catch {
    if (fs.existsSync('/proc/self/stat')) return undefined
  }
  const { stdout } = spawnSync('ps', ['-p', `${pid}`, '-o', 'ppid=,args='], { encoding: 'utf8' })
  const [, parent, args] = /^\s*(\d+)\s+(.*)/.exec(stdout ?? '') ?? []
  return args === undefined ? undefined : { args, parent: Number(parent) }
}

async function within(milliseconds: number, done: () => boolean): Promise<boolean> {
  for (const start = Date.now(); Date.now() - start < milliseconds; ) {
    if (done()) return true
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return done()
}
