import { DedupWindow } from './dedup-window'
import { FaultOrders } from './fault-orders'
import { Ingest } from './ingest'
import { DEDUP_WINDOW_MS } from './limits'
import type { Region } from './messages'
import { RateLimit } from './rate-limit'
import { RequestLog } from './requests'
import { Signals } from './signals'
import { Timers } from './timers'
import type { LocalSegmentOptions } from './types'
import type { WriteKeys } from './write-keys'

/** The state that both hosts share. */
export class Core {
  readonly keepAll: boolean
  readonly writeKeys: WriteKeys = new Map()
  readonly faults = new FaultOrders()
  readonly signals = new Signals()
  readonly timers = new Timers()
  /** `host:port` of each region, set once both listen. */
  hosts: Readonly<Record<Region, string>> = { us: '', eu: '' }
  ingest: Ingest
  requests: RequestLog
  rateLimit: RateLimit

  constructor(readonly options: LocalSegmentOptions) {
    this.keepAll = options.keep !== 'counts'
    this.ingest = this.#freshIngest()
    this.requests = this.#freshRequests()
    this.rateLimit = this.#freshRateLimit()
  }

  /** Forgets all but the write keys. What is new replaces the old, so a request under way leaves no trace in it. */
  reset(): void {
    this.ingest = this.#freshIngest()
    this.requests = this.#freshRequests()
    this.rateLimit = this.#freshRateLimit()
  }

  #freshIngest(): Ingest {
    const { dedup = true, dedupWindowMs = DEDUP_WINDOW_MS } = this.options
    return new Ingest(this.writeKeys, dedup ? new DedupWindow(dedupWindowMs) : undefined, this.keepAll)
  }

  #freshRequests(): RequestLog {
    return new RequestLog(this.keepAll, this.#now)
  }

  #freshRateLimit(): RateLimit {
    return new RateLimit(this.options.rateLimit?.requestsPerSecond ?? Number.POSITIVE_INFINITY, this.#now)
  }

  get #now(): () => number {
    return this.options.now ?? Date.now
  }
}
