import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'

const FAULTS = [
  { kind: 'status', status: 500 },
  { kind: 'status', status: 503, accepted: true },
  { kind: 'status', status: 429, headers: { 'retry-after': '1' } },
  { kind: 'status', status: 401 },
  { kind: 'timeout' },
  { kind: 'timeout', accepted: true },
  { kind: 'delay', ms: 300 },
  { kind: 'reset-before-read' },
  { kind: 'reset-after-accept' },
  { kind: 'reset-mid-response' },
  { kind: 'truncated-body' },
  { kind: 'slow-body' },
  { kind: 'garbage-body' },
  { kind: 'success-false' },
]

/** Orders faults of the local Segment, one after the other, until the time is over. */
export async function faults(stage, random, until) {
  while (performance.now() < until) {
    if (random.chance(0.05))
      stage.segment.fault({ kind: 'refuse-connections', forMs: random.between(50, 600) })
    const scope = random.chance(0.3) ? {} : { writeKey: random.pick(stage.writeKeys) }
    stage.segment.fault(random.pick(FAULTS), { times: random.between(1, 4), ...scope })
    await pause(random.between(20, 250))
  }
}

/**
 * Keeps processes running, and ends or stops one of them at random moments: SIGKILL, or SIGSTOP for longer than a lease
 * lasts, after which it goes on as if nothing had been.
 */
export class Processes {
  kills = 0
  pauses = 0
  /** Processes that ended by themselves. */
  crashes = 0
  #children = new Set()
  #given
  #started = 0

  constructor(given) {
    this.#given = given
  }

  start() {
    const env = {
      ...process.env,
      STORM: JSON.stringify({ ...this.#given, seed: this.#given.seed + ++this.#started }),
    }
    const child = fork(new URL('storm-child.mjs', import.meta.url), {
      env,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#children.add(child)
    child.once('exit', (_code, signal) => {
      this.#children.delete(child)
      if (signal !== 'SIGKILL') this.crashes++
    })
    return child
  }

  async disturb(random, until) {
    while (performance.now() < until) {
      await pause(random.between(300, 1500))
      const child = random.pick([...this.#children])
      if (child === undefined) this.start()
      else if (random.chance(0.25)) await this.#pause(child, random.between(2200, 3500))
      else await this.#kill(child, random.between(0, 400))
    }
  }

  async #pause(child, ms) {
    child.kill('SIGSTOP')
    this.pauses++
    await pause(ms)
    child.kill('SIGCONT')
  }

  async #kill(child, downMs) {
    this.kills++
    await end(child)
    await pause(downMs)
    this.start()
  }

  /** Ends all of them as hard as the storm did. */
  async end() {
    await Promise.all([...this.#children].map(end))
  }
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
