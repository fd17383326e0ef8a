import type { Circus } from '@jest/types'
import { TestEnvironment } from 'jest-environment-node'

/**
 * Fails a test file that leaves a timer, a socket, a server or a process behind: what leaks in a test leaks in the
 * monolith too. `getActiveResourcesInfo` lists what keeps the event loop alive (unreferenced timers are not in it).
 * It is an environment because it has to look after the file's own `afterAll` hooks.
 */
const watched = [
  'Timeout',
  'TCPSocketWrap',
  'TCPServerWrap',
  'PipeWrap',
  'ProcessWrap',
  'MessagePort',
  'Worker',
]
/** Sockets and processes that were told to close need a few turns of the event loop to be gone. */
const TURNS = 400

export default class LeakGuardEnvironment extends TestEnvironment {
  #before = new Map<string, number>()

  async handleTestEvent(event: Circus.AsyncEvent | Circus.SyncEvent): Promise<void> {
    if (event.name === 'run_start') this.#before = count()
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

  #leaks(): string[] {
    const more = [...count()].filter(([name, n]) => n > (this.#before.get(name) ?? 0))
    return more.map(([name, n]) => `${n} × ${name}`)
  }
}

function count(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of process.getActiveResourcesInfo()) {
    if (watched.includes(name)) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return counts
}
