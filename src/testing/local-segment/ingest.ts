import { randomUUID } from 'node:crypto'
import type { DedupWindow } from './dedup-window'
import { isMessage, textField, whyInvalid } from './message-rules'
import type { ArrivedMessage, DiscardedMessage, DiscardReason, Region, SegmentMessage } from './messages'
import { Tally } from './tally'
import type { TrackingCall } from './tracking-call'
import { schemaName, type Warehouse } from './warehouse/warehouse'
import type { WriteKeys } from './write-keys'

/** The request that brought the messages. */
interface Origin {
  requestId: string
  region: Region
  /** Milliseconds since the epoch. */
  receivedAt: number
}

/** What happens behind the 200: dropping, deduplicating, and laying down what reaches the workspace. */
export class Ingest {
  readonly tally = new Tally()
  readonly blockedEvents = new Set<string>()
  readonly accepted: ArrivedMessage[] = []
  readonly duplicates: ArrivedMessage[] = []
  readonly discarded: DiscardedMessage[] = []

  constructor(
    private readonly writeKeys: WriteKeys,
    private readonly dedup: DedupWindow | undefined,
    private readonly keepAll: boolean,
    private readonly warehouse: Warehouse | undefined,
    private readonly maxBatchEvents: number,
  ) {}

  /** Takes the messages of a call that Segment answers with 200. */
  take(call: TrackingCall, origin: Origin): void {
    const writeKey = call.writeKey ?? ''
    const arrival = {
      ...origin,
      writeKey,
      receivedAt: new Date(origin.receivedAt),
      sentAt: dateOf(call.sentAt),
    }
    const reason = this.#whyAllDiscarded(call, writeKey, origin.region)
    this.dedup?.expire(origin.receivedAt)
    for (const value of call.messages) this.#takeOne(value, arrival, reason)
  }

  #whyAllDiscarded(call: TrackingCall, writeKey: string, region: Region): DiscardReason | undefined {
    const source = this.writeKeys.get(writeKey)
    if (!source) return 'unknown-write-key'
    // "You might not see any errors, but your events will not appear": Segment, "HTTP API Source".
    if (source.region !== region) return 'wrong-region'
    // The documentation says "the event" is rejected, not which: nothing of such a batch is to be relied on.
    return call.messages.length > this.maxBatchEvents ? 'batch-too-long' : undefined
  }

  #takeOne(value: unknown, arrival: Arrival, reasonForAll: DiscardReason | undefined): void {
    const message = isMessage(value) ? value : {}
    const messageId = textField(message, 'messageId') ?? randomUUID()
    const invalid = reasonForAll ?? whyInvalid(message)
    if (!invalid && this.dedup?.admit(messageId, arrival.receivedAt.getTime()) === false) {
      this.tally.duplicates++
      if (this.keepAll) this.duplicates.push(arrived(message, messageId, arrival))
      return
    }
    const event = message.type === 'track' ? textField(message, 'event') : undefined
    // Protocols comes after deduplication: a blocked message has used up its id.
    const blocked = event !== undefined && this.blockedEvents.has(event)
    const reason = invalid ?? (blocked ? 'blocked-event' : undefined)
    if (reason) {
      this.tally.countDiscarded(reason)
      if (this.keepAll) this.discarded.push({ ...arrived(message, messageId, arrival), reason })
    } else {
      this.tally.countAccepted(String(message.type), event, arrival.writeKey)
      if (!this.keepAll && !this.warehouse) return
      const accepted = arrived(message, messageId, arrival)
      if (this.keepAll) this.accepted.push(accepted)
      this.warehouse?.add(schemaName(this.writeKeys.get(arrival.writeKey)?.source ?? ''), accepted)
    }
  }
}

type Arrival = Pick<ArrivedMessage, 'requestId' | 'region' | 'writeKey' | 'receivedAt' | 'sentAt'>

function arrived(message: SegmentMessage, messageId: string, arrival: Arrival): ArrivedMessage {
  const { requestId, region, writeKey, receivedAt, sentAt } = arrival
  const originalTimestamp = dateOf(message.timestamp)
  return {
    messageId,
    type: textField(message, 'type') ?? '',
    event: textField(message, 'event'),
    userId: textField(message, 'userId'),
    anonymousId: textField(message, 'anonymousId'),
    groupId: textField(message, 'groupId'),
    writeKey,
    region,
    receivedAt,
    sentAt,
    originalTimestamp,
    timestamp: correctedTimestamp(receivedAt, sentAt, originalTimestamp),
    message,
    requestId,
  }
}

/** Without `sentAt` there is no skew to correct, without a timestamp the call happened when it was received. */
function correctedTimestamp(receivedAt: Date, sentAt: Date | undefined, original: Date | undefined): Date {
  if (!original) return receivedAt
  if (!sentAt) return original
  return new Date(receivedAt.getTime() - (sentAt.getTime() - original.getTime()))
}

function dateOf(value: unknown): Date | undefined {
  if (typeof value !== 'string') return undefined
  const date = new Date(value)
  return Number.isNaN(date.getTime()) ? undefined : date
}
