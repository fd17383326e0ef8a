import type { SourceState } from 'synap-outbox'
import { distance } from './moment'

/** How events get to Segment, in the words of somebody who runs a portal. */
export interface DeliveryStatus {
  readonly tone: 'good' | 'idle' | 'warning' | 'bad'
  readonly badge: string
  readonly headline: string
  /** What to do, if anything. */
  readonly advice?: string
}

const count = new Intl.NumberFormat('en')

/** `1 event waits`, `1,250 events wait`, `nothing waits`. */
export function waiting(pending: number): string {
  return pending === 0 ? 'nothing waits' : `${events(pending)} ${pending === 1 ? 'waits' : 'wait'}`
}

export function events(number: number): string {
  return `${count.format(number)} ${number === 1 ? 'event' : 'events'}`
}

/** @param source the portal's active source, if there is one */
export function deliveryStatus(source: SourceState | undefined, now: Date): DeliveryStatus {
  if (!source) {
    return {
      tone: 'idle',
      badge: 'Not connected',
      headline: 'Nothing is recorded or sent.',
      advice: 'To connect your portal, paste the write key of a Segment source below.',
    }
  }
  switch (source.health) {
    case 'healthy':
      return flowing(source)
    case 'behind':
      return {
        tone: 'warning',
        badge: 'Delayed',
        headline: `Events wait longer than usual: ${waiting(source.pending)}. Nothing is lost.`,
        advice: 'You need not do anything. If it still says so in an hour, contact Synap support.',
      }
    case 'failing':
      return {
        tone: 'warning',
        badge: 'Trouble',
        headline: `Segment does not take events at the moment. Nothing is lost: ${waiting(source.pending)} here.`,
        advice:
          `We try again by ourselves${source.resumeAt && source.resumeAt > now ? `, ${distance(source.resumeAt, now)}` : ''}. ` +
          'If it still says so in an hour, contact Synap support.',
      }
    case 'refused':
      return refused(source)
    case 'paused':
      return {
        tone: 'idle',
        badge: 'Paused',
        headline: `Events are recorded and held: ${waiting(source.pending)}.`,
        advice: 'Resume when they are to be sent.',
      }
    case 'disabled':
      return deliveryStatus(undefined, now)
  }
}

function refused({
  failures,
  pending,
  verification,
  warehouse,
  writeKeyLastFour,
}: SourceState): DeliveryStatus {
  const whereToFind = 'In Segment, open your source, go to Settings, then API Keys, and copy the write key.'
  if (failures === 0 && verification !== 'unknown' && warehouse?.canaryLostSince) {
    return {
      tone: 'bad',
      badge: 'Probably lost',
      headline: 'Segment takes your events, and they do not arrive in your warehouse.',
      advice: `Look in Segment whether the source still receives events and your warehouse still loads. If the source receives none: ${whereToFind} Then replace the key below. Synap support can send again what is missing.`,
    }
  }
  if (failures === 0) {
    return {
      tone: 'bad',
      badge: 'Probably lost',
      headline: `Segment did not know the write key that ends in ${writeKeyLastFour}. It takes your events, and may be throwing them away.`,
      advice: `Look in Segment whether events arrive. If not: ${whereToFind} Then replace the key below.`,
    }
  }
  return {
    tone: 'bad',
    badge: 'Action needed',
    headline: `Nothing can be sent with the write key that ends in ${writeKeyLastFour}. Nothing is lost: ${waiting(pending)} here.`,
    advice: `${whereToFind} Then replace the key below: what waits is sent at once.`,
  }
}

function flowing({ pending, lastDeliveredAt, warehouse }: SourceState): DeliveryStatus {
  if (warehouse && warehouse.missing > 0) {
    return {
      tone: 'warning',
      badge: 'Events missing',
      headline: `Segment took your events, but ${events(warehouse.missing)} ${warehouse.missing === 1 ? 'was' : 'were'} not in your warehouse when we last compared.`,
      advice:
        'Look in Segment whether Protocols or Selective Sync leave events out. Synap support can send again what is missing.',
    }
  }
  if (lastDeliveredAt === null && pending === 0) {
    return {
      tone: 'good',
      badge: 'Connected',
      headline: 'The first events are sent as soon as somebody uses your portal.',
    }
  }
  return {
    tone: 'good',
    badge: 'Events are flowing',
    headline:
      pending === 0
        ? 'Everything that was recorded has reached Segment.'
        : `${events(pending)} ${pending === 1 ? 'is' : 'are'} on the way.`,
  }
}
