import type { Circus } from '@jest/types'
import { TestEnvironment } from 'jest-environment-node'

/** Sockets and processes that were told to close need a few turns of the event loop to be gone. */
const TURNS = 400

/**
 * Fails a test file that leaves a timer, a socket, a server or a process behind: what leaks in a test leaks in the
 * monolith too. It is an environment because it has to look after the file's own `afterAll` hooks, and compares the
 * handles themselves because jest's own come and go.
 */
export default class LeakGuardEnvironment extends TestEnvironment {
  readonly #timers = new Set<NodeJS.Timeout>()
  #before = new Set<object>()

  override async setup(): Promise<void> {
    await super.setup()
    for (const name of ['setTimeout', 'setInterval'] as const) this.#watch(name)
  }

  async handleTestEvent(event: Circus.AsyncEvent | Circus.SyncEvent): Promise<void> {
    if (event.name === 'run_start') this.#before = new Set(activeHandles())
    if (event.name !== 'run_finish') return
    for (let turn = 0; turn < TURNS && this.#leaks().length > 0; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const left = this.#leaks()
    if (left.length === 0) return
    throw new Error(
      `This test file left resources open: ${left.join(', ')}. ` +
        'What leaks here would keep an application alive after stop(). Close what the tests opened.',
    )
  }

  /** Notes the timers that the test and all that it loads create. */
  #watch(name: 'setTimeout' | 'setInterval'): void {
    const original = this.global[name] as (...args: unknown[]) => NodeJS.Timeout
    const watched = (...args: unknown[]) => {
      const timer = original(...args)
      this.#timers.add(timer)
      return timer
    }
    this.global[name] = Object.assign(watched, original) as never
  }

  #leaks(): string[] {
    const handles = activeHandles().filter((handle) => !this.#before.has(handle))
    const timers = [...this.#timers].filter((timer) => !isOver(timer) && timer.hasRef())
    return [...handles.map((handle) => handle.constructor.name), ...timers.map(() => 'timer')]
  }
}

/** Sockets, servers and child processes that keep the event loop alive. Node has no documented list of the objects. */
function activeHandles(): object[] {
  return (process as unknown as { _getActiveHandles(): object[] })._getActiveHandles()
}

function isOver(timer: NodeJS.Timeout): boolean {
  return (timer as unknown as { _destroyed: boolean })._destroyed
}
