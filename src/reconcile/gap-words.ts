import type { MessageType } from '../../entities'
import { moment } from '../operate/inspect/words'

/** What speaks for a cause, and what to do about it. */
export type Words = readonly [explanation: string, remedy: string]

export function planBlock(type: MessageType, event: string | null): Words {
  return [
    `While ${event === null ? `${type} calls` : `"${event}"`} went missing, others of the source arrived: it is probably blocked by the tracking plan in Segment (Protocols), or left out by Selective Sync.`,
    'Allow it there. Segment has used up the ids of what it blocked: sent again inside the dedup window they are dropped as duplicates, so send them again after it, by explicit choice.',
  ]
}

export function keyOrRegion(
  missed: { readonly firstAt: Date; readonly lastAt: Date },
  found: number,
  loadedThrough: Date | null,
): Words {
  const what =
    found === 0
      ? 'Nothing of the source has arrived at all'
      : `Nothing of the source that was delivered from ${moment(missed.firstAt)} to ${moment(missed.lastAt)} has arrived`
  const newest = loadedThrough ? `, and the newest row there is of ${moment(loadedThrough)}` : ''
  return [
    `${what}${newest}: the write key was probably unknown or revoked, or its region wrong. It may also be that the warehouse’s loads have stopped, or that its schema has another name.`,
    'Check the write key and the region in the portal’s settings, then the warehouse’s Sync History in Segment. When it is mended, send again what is inside the dedup window.',
  ]
}

export function oversizeBatch(largestFound: number): Words {
  return [
    `Whole batches are missing, each of more than ${largestFound} messages, while every batch of up to ${largestFound} arrived: they were probably too long. Segment answers 200 to a batch of more than 2,500 events and drops it.`,
    'Look for a proxy that joins batches, or lower dispatcher.batchMessages; then send them again.',
  ]
}

export const DROPPED: Words = [
  'They were sent again inside the dedup window, and are still not there: what made them go missing goes on, or Segment has used up their ids and dropped them as duplicates, as it does with what Protocols blocked.',
  'Mend the cause. When the window is over, send them again by explicit choice.',
]

export const UNKNOWN: Words = [
  'Others of the same time and kind arrived: no cause stands out.',
  'Look at an example in Segment’s debugger and in the source’s event delivery, by its messageId.',
]

export function notLoadedYet(loadedThrough: Date | null): Words {
  const newest = loadedThrough ? `its newest row is of ${moment(loadedThrough)}` : 'it has no row yet'
  return [
    `They were delivered within the lag allowance, and the warehouse loads in bulk: ${newest}.`,
    'Nothing; compare again later.',
  ]
}
