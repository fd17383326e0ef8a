import { once } from 'node:events'
import { createServer, type IncomingMessage, request as open, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { countsForNobody } from '../../../src/application-requests'

/**
 * A door between an outbox and the local Segment, which a test can hold shut: a request that is out for as long as the
 * test wants, without anybody waiting for time to pass.
 */
export interface Gate {
  readonly url: string
  /**
   * Holds what comes from now on: the `request`, so that Segment has not heard of it, or its `answer`, so that Segment
   * has decided and the sender does not know.
   */
  hold(what: 'request' | 'answer', options?: { writeKey?: string }): Hold
  close(): Promise<void>
}

export interface Hold {
  /** Resolves when so many are held (default 1). */
  arrived(count?: number): Promise<void>
  /** Lets go of all that is held, and holds no more. */
  release(): void
  /** Resets the connections of all that is held, and holds no more. */
  reset(): void
}

interface Held {
  go(): void
  reset(): void
}

interface Order {
  what: 'request' | 'answer'
  writeKey: string | undefined
  held: Held[]
  check(): void
}

interface Answer {
  status: number
  headers: IncomingMessage['headers']
  body: Buffer
}

export async function openGate(target: string): Promise<Gate> {
  const orders = new Set<Order>()

  const heldAt = (what: Order['what'], request: IncomingMessage, response: ServerResponse) =>
    new Promise<void>((go) => {
      const order = [...orders].find((each) => each.what === what && concerns(each, request))
      if (!order) return go()
      order.held.push({ go, reset: () => response.socket?.resetAndDestroy() })
      order.check()
    })

  const server = createServer(async (request, response) => {
    const body = await bodyOf(request).catch(() => undefined)
    if (body === undefined) return
    await heldAt('request', request, response)
    if (response.destroyed) return
    const answer = await forward(target, request, body).catch(() => undefined)
    if (answer === undefined) {
      response.socket?.resetAndDestroy()
      return
    }
    await heldAt('answer', request, response)
    if (!response.destroyed) response.writeHead(answer.status, answer.headers).end(answer.body)
  })
  countsForNobody(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hold(what, { writeKey } = {}) {
      const waiting = new Set<() => void>()
      const order: Order = { what, writeKey, held: [], check: () => waiting.forEach(call) }
      orders.add(order)
      const letGo = (how: 'go' | 'reset') => {
        orders.delete(order)
        for (const each of order.held.splice(0)) each[how]()
      }
      return {
        arrived: (count = 1) =>
          new Promise((resolve) => {
            waiting.add(() => order.held.length >= count && resolve())
            order.check()
          }),
        release: () => letGo('go'),
        reset: () => letGo('reset'),
      }
    },
    async close() {
      orders.clear()
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function call(each: () => void): void {
  each()
}

function concerns({ writeKey }: Order, { headers }: IncomingMessage): boolean {
  const basic = headers.authorization?.split(' ')[1] ?? ''
  const key = Buffer.from(basic, 'base64').toString().split(':')[0]
  return key !== '' && (writeKey === undefined || writeKey === key)
}

async function bodyOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The local Segment resets connections on order: then this rejects, and so does the gate to its own client. */
async function forward(
  target: string,
  { method, url, headers }: IncomingMessage,
  body: Buffer,
): Promise<Answer> {
  const outgoing = open(new URL(url ?? '/', target), { method, headers, agent: false })
  outgoing.end(body)
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: await bodyOf(answer) }
}
