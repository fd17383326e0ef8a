import { abridge } from './abridge'
import { layOutEach } from './client-layout'
import type { LaidOut, LayOutOptions, OutgoingMessage } from './layout'

/**
 * Lays messages out as one request, as the official client would, and sends nothing. Never rejects.
 *
 * The client is given the batch abridged, and what it makes of that is continued. Whenever it cannot be, the client lays
 * out each message itself: it alone decides what is refused.
 */
export async function layOut(messages: readonly OutgoingMessage[], options: LayOutOptions): Promise<LaidOut> {
  const laidOut = (await abridged(messages, options)) ?? (await layOutEach(messages, options))
  return laidOut.kind === 'request' ? { ...laidOut, body: new TextEncoder().encode(laidOut.body) } : laidOut
}

async function abridged(
  messages: readonly OutgoingMessage[],
  options: LayOutOptions,
): Promise<LaidOut<string> | undefined> {
  const abridgement = abridge(messages)
  if (!abridgement) return undefined
  const laidOut = await layOutEach(abridgement.messages, options)
  if (laidOut.kind !== 'request') return undefined
  const body = abridgement.whole(laidOut.body)
  return body === undefined ? undefined : { ...laidOut, body }
}
