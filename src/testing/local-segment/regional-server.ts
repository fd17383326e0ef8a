import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { countsForNobody } from '../../application-requests'

/** Longer than a client keeps an idle connection, so that none is closed under a request by accident. */
const KEEP_ALIVE_MS = 60_000

/** One region's host: a listening port that can go down and come back at the same number. */
export class RegionalServer {
  readonly port: number
  readonly url: string
  readonly #unanswered = new Set<ServerResponse>()

  private constructor(
    private readonly server: Server,
    private readonly host: string,
    listener: RequestListener,
  ) {
    this.port = (server.address() as AddressInfo).port
    this.url = `http://${host}:${this.port}`
    server.on('request', (request, response) => {
      this.#unanswered.add(response)
      response.on('close', () => this.#unanswered.delete(response))
      listener(request, response)
    })
  }

  /** @throws the system's error, e.g. EADDRINUSE, if the port cannot be had */
  static async start(listener: RequestListener, host: string, port: number): Promise<RegionalServer> {
    const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS })
    countsForNobody(server)
    await listen(server, host, port)
    return new RegionalServer(server, host, listener)
  }

  /** Stops listening at once: from here on, connections are refused by the operating system. */
  goDown(): void {
    if (!this.server.listening) return
    this.server.close()
    this.server.closeIdleConnections()
    // Otherwise the host would live on in the connections that are busy now.
    for (const response of this.#unanswered) response.shouldKeepAlive = false
  }

  /** @throws the system's error if another process has taken the port meanwhile */
  async comeBack(): Promise<void> {
    if (!this.server.listening) await listen(this.server, this.host, this.port)
  }

  /** Destroys every connection; resolves when all of them and the port are closed. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      // Called with an error if the host is down, but then too only when the last connection is gone.
      this.server.close(() => resolve())
      this.server.closeAllConnections()
    })
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
