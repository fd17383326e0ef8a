import { readlinkSync } from 'node:fs'
import os from 'node:os'
import { parentPort } from 'node:worker_threads'
import { layOut } from './lay-out'
import type { LayoutAnswer, LayoutQuestion } from './layout-thread'

/** What runs in the thread of `LayoutThread`. */
giveWay()
parentPort?.on('message', async ({ id, messages, options }: LayoutQuestion) => {
  const laidOut = await layOut(messages, options)
  const moved = laidOut.kind === 'request' ? [laidOut.body.buffer] : []
  parentPort?.postMessage({ id, laidOut } satisfies LayoutAnswer, moved)
})

/**
 * Where there are not cores enough, the application's requests go before its analytics: this thread gets the rest.
 * Linux alone has a priority for each thread, and names the calling one here; elsewhere nothing changes.
 */
function giveWay(): void {
  try {
    const own = Number(readlinkSync('/proc/thread-self').split('/').at(-1))
    os.setPriority(own, os.constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // Not Linux, or not allowed: it works as well, only without giving way.
  }
}
