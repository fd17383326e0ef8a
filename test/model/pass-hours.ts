import { setTimeout as pause } from 'node:timers/promises'
import type { World } from './world'

/**
 * Moves the clock forward, for the local Segment and for what the database knows. Leases and rests are over then, too,
 * and a sweep is due.
 */
export async function passHours(world: World, hours: number): Promise<void> {
  let thaw = () => {}
  const passed = new Promise<void>((resolve) => (thaw = resolve))
  for (const process of world.processes) process.freeze(passed)
  await untilArrived(world)
  await shift(world, hours)
  thaw()
}

async function shift(world: World, hours: number): Promise<void> {
  world.clock.offset += hours * 3_600_000
  await world.rows(
    `UPDATE outbox_batch SET first_ambiguous_at = first_ambiguous_at - make_interval(hours => $1),
       attempt_started_at = attempt_started_at - make_interval(hours => $1) WHERE outcome IS NULL`,
    [hours],
  )
  await world.rows(
    `UPDATE source_delivery SET lease_expires_at = lease_expires_at - make_interval(hours => $1),
       resume_at = resume_at - make_interval(hours => $1), swept_at = swept_at - make_interval(hours => $1)`,
    [hours],
  )
}

/** What was looked at before the hours pass is on the wire before they do: nothing is promised of a host that sleeps. */
async function untilArrived({ segment, processes, tap }: World): Promise<void> {
  const posts = () => segment.requests().filter(({ method }) => method === 'POST').length
  const isBetween = () => processes.some((process) => process.isBetween)
  for (let ms = 0; ms < 100 && (isBetween() || posts() < tap.flights.length); ms++) await pause(1)
}
