import type { Events, OutboxEvents } from '../events'

/** Runs what no message depends on: a failure is reported once, until it succeeds again, and never thrown. */
export function undisturbed(
  events: Events,
  during: OutboxEvents['error']['during'],
): (task: () => Promise<unknown>) => Promise<void> {
  let failing = false
  return async (task) => {
    try {
      await task()
      failing = false
    } catch (error) {
      if (!failing) events.emit('error', { error, during })
      failing = true
    }
  }
}
