import type { IncomingMessage } from 'node:http'

/** The sender went away before the body was complete. */
export class BodyAborted extends Error {}

/** The body was larger than may be kept. */
export class BodyTooLarge extends Error {}

/**
 * The whole body of a request. What comes beyond `limit` bytes is thrown away as it arrives, but read to the
 * end: a sender that is still writing would see a broken connection instead of the refusal.
 * @throws BodyTooLarge if it had more than `limit` bytes
 * @throws BodyAborted if the connection closed before the end
 */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= limit) chunks.push(chunk)
      else chunks = []
    })
    request.on('end', () => {
      if (bytes > limit) reject(new BodyTooLarge(`${bytes} bytes, more than ${limit}`))
      else resolve(Buffer.concat(chunks))
    })
    const aborted = () => reject(new BodyAborted('the connection closed before the body was complete'))
    request.on('error', aborted)
    request.on('close', aborted)
  })
}
