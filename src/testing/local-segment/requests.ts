import type { IncomingMessage } from 'node:http'
import type { SegmentFault } from './faults'
import type { Region } from './messages'

/** A request that arrived at the tracking API or the settings host, whatever became of it. */
export interface ReceivedRequest {
  readonly id: string
  readonly at: Date
  readonly region: Region
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly writeKey: string | undefined
  /** The ids that the sender gave, in order; empty with `keep: 'counts'`. */
  readonly messageIds: readonly string[]
  /** Bytes of the body as sent, compressed or not; 0 where it was not read. */
  readonly bytes: number
  /** The status that was sent, or undefined while there is no answer, and for good if there never was one. */
  readonly status: number | undefined
  readonly fault: SegmentFault['kind'] | undefined
  /** Who ended the connection before the answer was complete, if anyone did. */
  readonly cutBy: 'server' | 'client' | undefined
}

/** The same request while it is being handled. */
export type OpenRequest = { -readonly [Field in keyof ReceivedRequest]: ReceivedRequest[Field] }

/** Headers that say something about the sender; the credentials are not among them. */
const KEPT_HEADERS = ['user-agent', 'content-type', 'content-encoding', 'x-retry-count'] as const

/** Requests remembered where only counts are kept. */
const KEPT_WITH_COUNTS = 1000

/** All requests in order of arrival, or with `keep: 'counts'` the last 1,000. */
export class RequestLog {
  #requests: ReceivedRequest[] = []
  #opened = 0
  #handled = 0
  readonly #byStatus = new Map<string, number>()

  constructor(
    private readonly keepAll: boolean,
    private readonly now: () => number,
  ) {}

  open(request: IncomingMessage, region: Region, path: string): OpenRequest {
    const opened: OpenRequest = {
      id: `request-${++this.#opened}`,
      at: new Date(this.now()),
      region,
      method: request.method ?? '',
      path,
      headers: Object.fromEntries(KEPT_HEADERS.map((name) => [name, request.headers[name]?.toString()])),
      writeKey: undefined,
      messageIds: [],
      bytes: 0,
      status: undefined,
      fault: undefined,
      cutBy: undefined,
    }
    this.#requests.push(opened)
    // Twice the number before the old half goes: one copy in a thousand requests instead of one in each.
    if (!this.keepAll && this.#requests.length >= 2 * KEPT_WITH_COUNTS) {
      this.#requests = this.#requests.slice(-KEPT_WITH_COUNTS)
    }
    return opened
  }

  /** Notes that a request was decided: answered, cut or left without an answer. */
  markHandled(): void {
    this.#handled++
  }

  /** Counts how a request ended; `unanswered` where no status was ever sent. */
  countStatus(status: number | 'unanswered'): void {
    this.#byStatus.set(String(status), (this.#byStatus.get(String(status)) ?? 0) + 1)
  }

  get list(): readonly ReceivedRequest[] {
    return this.keepAll ? this.#requests : this.#requests.slice(-KEPT_WITH_COUNTS)
  }

  get handled(): number {
    return this.#handled
  }

  get byStatus(): Record<string, number> {
    return Object.fromEntries(this.#byStatus)
  }
}
