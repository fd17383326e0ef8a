import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { type Answer, answerOf } from './answers'
import { largestEventBytes, MAX_BATCH_BYTES, MAX_EVENT_BYTES, MAX_READ_BYTES } from './limits'
import { CALL_TYPES, isMessage, textField } from './message-rules'
import type { SegmentMessage } from './messages'

const decompress = promisify(gunzip)

/** What a request asks for, and Segment's refusal if there is one. */
export interface TrackingCall {
  writeKey: string | undefined
  sentAt: unknown
  messages: readonly unknown[]
  refusal: Answer | undefined
}

/** The call that a path stands for: `batch`, `track`, `identify`, … or undefined. */
export function callOfPath(path: string): string | undefined {
  const call = path.startsWith('/v1/') ? path.slice('/v1/'.length) : ''
  return call === 'batch' || CALL_TYPES.has(call) ? call : undefined
}

/**
 * The write key of an `Authorization: Basic` header, or undefined. The colon may be missing, and a Bearer
 * token is no key: then the body names it. Source: Segment, "HTTP API Source", section "Authentication".
 */
export function writeKeyOfHeader(authorization: string | undefined): string | undefined {
  const [scheme, credentials] = authorization?.split(' ') ?? []
  if (scheme?.toLowerCase() !== 'basic' || !credentials) return undefined
  return Buffer.from(credentials, 'base64').toString().split(':')[0] || undefined
}

/**
 * Reads the body of a request to the tracking API.
 *
 * 400 for invalid JSON and for too many bytes: Segment, "HTTP API Source", section "Errors". 400 without any
 * write key: reported for empty keys in segmentio/analytics-go issue 205. What is documented nowhere is taken
 * so: the key of the header wins over the body's; sizes are measured after decompression; a body that cannot
 * be decompressed, is no object or has no `batch` is a JSON error.
 */
export async function readTrackingCall(
  call: string,
  sentBody: Buffer,
  encoding: string | undefined,
  headerKey: string | undefined,
): Promise<TrackingCall> {
  const refused = (reason: string): TrackingCall => ({
    writeKey: headerKey,
    sentAt: undefined,
    messages: [],
    refusal: answerOf(400, reason),
  })
  const body = encoding === 'gzip' ? await decompressed(sentBody) : sentBody
  const envelope = body && parsed(body)
  if (!body || !isMessage(envelope)) return refused('invalid JSON')

  const isBatch = call === 'batch'
  if (isBatch && !Array.isArray(envelope.batch)) return refused('batch is missing')
  const writeKey = headerKey ?? textField(envelope, 'writeKey')
  const messages = isBatch ? batchOf(envelope) : [{ ...envelope, type: call }]
  const reason = tooLarge(body, isBatch) ?? (writeKey ? undefined : 'write key is missing')
  const refusal = reason ? answerOf(400, reason) : undefined
  return { writeKey, sentAt: envelope.sentAt, messages, refusal }
}

/** The calls of a batch. A batch-wide `context` and `integrations` are merged into each, as documented. */
function batchOf(envelope: SegmentMessage): unknown[] {
  const { batch, context, integrations } = envelope as { batch: unknown[] } & SegmentMessage
  if (!isMessage(context) && !isMessage(integrations)) return batch
  return batch.map((message) => {
    if (!isMessage(message)) return message
    const merged: Record<string, unknown> = { ...message }
    if (isMessage(context)) merged.context = { ...context, ...(message.context as object) }
    if (isMessage(integrations)) {
      merged.integrations = { ...integrations, ...(message.integrations as object) }
    }
    return merged
  })
}

function tooLarge(body: Buffer, isBatch: boolean): string | undefined {
  if (body.length > MAX_BATCH_BYTES) return 'request body is too large'
  if (body.length <= MAX_EVENT_BYTES) return undefined
  return !isBatch || largestEventBytes(body) > MAX_EVENT_BYTES ? 'event is too large' : undefined
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

async function decompressed(body: Buffer): Promise<Buffer | undefined> {
  try {
    return await decompress(body, { maxOutputLength: MAX_READ_BYTES })
  } catch {
    return undefined
  }
}
