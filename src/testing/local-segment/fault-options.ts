import type { ReceivedRequest } from './requests'

/** Which requests a fault happens to; without options: every request to the tracking API. */
export interface FaultOptions {
  /**
   * How many matching requests fail; for a sequence, how often it is run through.
   * Default: a single fault lasts until it is cleared, a sequence is run once.
   */
  times?: number
  /** Only requests with this write key. */
  writeKey?: string
  /** `settings` is the look-up that verifies a write key. Default: `tracking`. */
  on?: 'tracking' | 'settings'
  /** Only requests for which this is true. For `reset-before-read` the body is not known yet. */
  when?: (request: ReceivedRequest) => boolean
}

export interface FaultHandle {
  /** Requests that the fault has happened to. Always 0 for `refuse-connections`: those never arrive. */
  readonly hits: number
  /** Ends the fault; resolves when the host listens again. Clearing twice does no harm. */
  clear(): Promise<void>
}
