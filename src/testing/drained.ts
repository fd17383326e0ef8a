import type { DispatchReport } from '../dispatch/dispatcher'
import type { Outbox } from '../outbox'

/** Sources that are asked for what still waits. */
const SOURCES = 1000

/**
 * Sends everything that waits, and makes sure of it: throws an Error that lists what ended dead or uncertain on the
 * way, and what still waits at the end, of any portal in the database, because its source rests after a failure, is
 * paused or disabled. Use `outbox.drain()` where a test wants any of these.
 */
export async function drained(outbox: Pick<Outbox, 'drain' | 'inspect' | 'on'>): Promise<DispatchReport> {
  const problems: string[] = []
  const forget = outbox.on('settled', ({ outcome, messages, portalId, reason }) => {
    if (outcome !== 'delivered')
      problems.push(`${messages} of portal ${portalId} ended ${outcome}: ${reason}`)
  })
  const report = await outbox.drain().finally(forget)
  for (const { pending, portalId, status, lastError } of await outbox.inspect.sources({ limit: SOURCES })) {
    const why = lastError ?? (status === 'enabled' ? 'its source is not due' : `its source is ${status}`)
    if (pending > 0) problems.push(`${pending} of portal ${portalId} still wait: ${why}`)
  }
  if (problems.length === 0) return report
  throw new Error(
    [
      'Not every message was delivered, so Segment does not have what this test expects.',
      'See what the local Segment was told to do, the write key and the source’s state.',
    ].join(' ') + ['', ...problems].join('\n  '),
  )
}
