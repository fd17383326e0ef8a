import diagnostics from 'node:diagnostics_channel'
import type { ClientRequest } from 'node:http'
import type { Flight } from './evidence'
import { inProcess } from './process'

/** Notes, on the sender's side, which process had a request out for which source, under which token, and how long. */
export class WireTap {
  readonly flights: Flight[] = []
  readonly #sourceOf: (writeKey: string) => string | undefined

  constructor(sourceOf: (writeKey: string) => string | undefined) {
    this.#sourceOf = sourceOf
    diagnostics.subscribe('http.client.request.start', this.#started)
  }

  end(): void {
    diagnostics.unsubscribe('http.client.request.start', this.#started)
  }

  readonly #started = (message: unknown): void => {
    const { request } = message as { request: ClientRequest }
    const sender = inProcess.getStore()
    const sourceId = this.#sourceOf(writeKeyOf(request))
    if (request.method !== 'POST' || !sender || !sourceId) return
    const token = sender.tokens.get(sourceId) ?? ''
    const from = performance.now()
    sender.unsent.delete(sourceId)
    const flight = { process: sender.name, sourceId, token, from, to: Number.POSITIVE_INFINITY }
    this.flights.push(flight)
    request.once('close', () => (flight.to = performance.now()))
  }
}

function writeKeyOf(request: ClientRequest): string {
  const header = String(request.getHeader('authorization') ?? '')
  return Buffer.from(header.replace(/^Basic /, ''), 'base64')
    .toString()
    .replace(/:.*$/, '')
}
