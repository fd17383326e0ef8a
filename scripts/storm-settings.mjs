/** What the processes of a storm have in common. */
export const secretKeys = `k1:${Buffer.alloc(32, 7).toString('base64')}`

/** Short leases and pauses: a killed process's sources are taken over while the storm still blows. */
export const dispatcher = {
  cron: '* * * * * *',
  leaseMs: 2000,
  turnMs: 200,
  concurrency: 4,
  batchMessages: 40,
  // The portals commit beside each other all the time: with longer rests, fewer sends meet a kill or a fault.
  giveWay: 4,
  backoff: { initialMs: 20, maxMs: 500, refusedMs: 200 },
}

export const segmentTimeoutMs = 500

/** The test id by which the local Segment is told to refuse an event. */
export const POISON = 'refused by Segment'
