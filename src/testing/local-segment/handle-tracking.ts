import { type Answer, answerOf, SUCCESS } from './answers'
import { applyFault } from './apply-fault'
import type { Core } from './core'
import type { Exchange } from './exchange'
import { acceptsEvents } from './faults'
import { MAX_READ_BYTES } from './limits'
import { isMessage, textField } from './message-rules'
import { BodyAborted, BodyTooLarge, readBody } from './read-body'
import { readTrackingCall, type TrackingCall, writeKeyOfHeader } from './tracking-call'

/** Handles a request to the tracking API: judge it, take its messages, answer, each as far as a fault lets it. */
export async function handleTracking(core: Core, exchange: Exchange, path: string): Promise<void> {
  const { request, record } = exchange
  const headerKey = writeKeyOfHeader(request.headers.authorization)
  record.writeKey = headerKey
  const early = core.faults.takeEarly(record, 'tracking')
  if (early) {
    record.fault = early.kind
    exchange.reset()
    return
  }

  const body = await readBodyOrRefuse(exchange)
  if (!body) return
  record.bytes = body.length
  const call = await readTrackingCall(path, body, request.headers['content-encoding'], headerKey)
  record.writeKey = call.writeKey
  if (core.keepAll) record.messageIds = messageIdsOf(call)

  const fault = core.faults.take(record, 'tracking', call.messages)
  record.fault = fault?.kind
  const answer = call.refusal ?? tooManyRequests(core, call.writeKey) ?? SUCCESS
  if (answer === SUCCESS && (!fault || acceptsEvents(fault))) {
    core.ingest.take(call, { requestId: record.id, region: record.region, receivedAt: record.at.getTime() })
  }
  const { responseDelayMs = 0 } = core.options
  if (fault) applyFault(fault, exchange, answer, core.timers)
  else if (responseDelayMs > 0) core.timers.after(responseDelayMs, () => exchange.send(answer))
  else exchange.send(answer)
}

async function readBodyOrRefuse(exchange: Exchange): Promise<Buffer | undefined> {
  try {
    return await readBody(exchange.request, MAX_READ_BYTES)
  } catch (error) {
    if (error instanceof BodyTooLarge) exchange.send(answerOf(400, 'request body is too large'))
    else if (!(error instanceof BodyAborted)) throw error
    return undefined
  }
}

function tooManyRequests(core: Core, writeKey = ''): Answer | undefined {
  const workspace = core.writeKeys.get(writeKey)?.workspace
  if (workspace === undefined || !core.rateLimit.exceeded(workspace)) return undefined
  return answerOf(429, 'too many requests', { 'retry-after': '1', 'x-ratelimit-reset': '1' })
}

function messageIdsOf(call: TrackingCall): string[] {
  return call.messages.flatMap((message) =>
    isMessage(message) ? (textField(message, 'messageId') ?? []) : [],
  )
}
