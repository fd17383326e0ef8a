import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Server } from 'node:http'

/** On which Node tells of each HTTP request that a server of the process takes, whatever framework is on top. */
const REQUESTS = 'http.server.request.start'

const notTheApplications = new WeakSet<Server>()

/** What this server takes are no requests of the application's users, though it runs in the same process. */
export function countsForNobody(server: Server): void {
  notTheApplications.add(server)
}

/** When this process last began to answer one of its users. */
export class ApplicationRequests {
  /** On the clock of `performance.now()`. */
  lastAt = -Infinity

  /** Begun twice, it is ended by one `end()` all the same. */
  begin(): void {
    this.end()
    subscribe(REQUESTS, this.#requested)
  }

  end(): void {
    unsubscribe(REQUESTS, this.#requested)
  }

  readonly #requested = (message: unknown) => {
    if (!notTheApplications.has((message as { server: Server }).server)) this.lastAt = performance.now()
  }
}
