import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Answer } from './answers'
import type { OpenRequest, RequestLog } from './requests'

/** One recorded request and the ways to end it, proper and improper. */
export class Exchange {
  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    readonly record: OpenRequest,
    private readonly log: RequestLog,
    notify: () => void,
  ) {
    response.on('close', () => {
      if (!response.writableFinished) record.cutBy ??= 'client'
      if (record.status === undefined) log.countStatus('unanswered')
      notify()
    })
  }

  /** Answers as a working server does. */
  send(answer: Answer): void {
    this.#begin(answer, 0, (body) => this.response.end(body))
  }

  /** Sends the headers and the first `bytes` of the body; `sent` is called when they are out of this process. */
  sendPart(answer: Answer, bytes: number, sent: () => void = () => {}): void {
    this.#begin(answer, 0, (body) => this.response.write(body.subarray(0, bytes), sent))
  }

  /** Sends the whole body under a `Content-Length` that promises `missing` bytes more, and closes. */
  sendShort(answer: Answer, missing: number): void {
    this.#begin(answer, missing, (body) => this.response.write(body, () => this.close()))
  }

  /** Closes the connection; what was sent before still arrives. */
  close(): void {
    this.record.cutBy = 'server'
    this.request.socket.destroy()
  }

  /** Closes the connection with a TCP reset. */
  reset(): void {
    this.record.cutBy = 'server'
    this.request.socket.resetAndDestroy()
  }

  #begin({ status, body = '', headers }: Answer, missing: number, proceed: (body: Buffer) => void): void {
    // The client may have gone while its request was read or its answer delayed.
    if (this.response.destroyed) return
    const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
    if (bytes.length > 0) this.response.setHeader('content-type', 'application/json')
    // 204 and 304 have no body and so no length.
    if (status !== 204 && status !== 304) this.response.setHeader('content-length', bytes.length + missing)
    this.response.writeHead(status, headers)
    this.record.status = status
    this.log.countStatus(status)
    proceed(bytes)
  }
}
