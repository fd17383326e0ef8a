import net from 'node:net'

/** A server that answers byte by byte as a test says, however wrong that is. */
export interface RawServer {
  readonly port: number
  readonly url: string
  /** Whole requests that arrived, head and body, in order. */
  readonly requests: readonly string[]
  /** Connections accepted so far. */
  readonly connections: number
  /** Connections that are open now. */
  readonly open: number
  close(): Promise<void>
}

export interface Script {
  /** Called when bytes of a request arrive that is not whole yet. */
  begun?(socket: net.Socket): void
  /** Called for each whole request; `n` counts those of all connections, from 1. */
  whole?(socket: net.Socket, request: string, n: number): void
  /** Called for each connection. */
  connected?(socket: net.Socket): void
}

export async function startRawServer(script: Script): Promise<RawServer> {
  const sockets = new Set<net.Socket>()
  const requests: string[] = []
  let connections = 0
  const server = net.createServer((socket) => {
    connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    script.connected?.(socket)
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (!isWhole(text)) return script.begun?.(socket)
      requests.push(text)
      const request = text
      text = ''
      script.whole?.(socket, request, requests.length)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    requests,
    get connections() {
      return connections
    },
    get open() {
      return sockets.size
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** A port on which nothing listens. */
export async function closedPort(): Promise<number> {
  const server = await startRawServer({})
  await server.close()
  return server.port
}

/** An answer with the right length. */
export function http(status: string, body = '', headers: Record<string, string> = {}): string {
  const lines = Object.entries({ 'Content-Length': String(Buffer.byteLength(body)), ...headers })
  return `HTTP/1.1 ${status}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`
}

function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return false
  const length = Number(/^content-length: (\d+)/im.exec(text.slice(0, end))?.[1] ?? 0)
  return text.length >= end + 4 + length
}

/** Gives the event loop turns until the condition holds; fails the test if it never does. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let turn = 0; turn < 20_000; turn++) {
    if (condition()) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error(`It never came to pass that ${what}.`)
}
