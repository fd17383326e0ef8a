import { DedupWindow } from './dedup-window'
import { FaultOrders } from './fault-orders'
import { Ingest } from './ingest'
import { DEDUP_WINDOW_MS, MAX_BATCH_EVENTS } from './limits'
import type { Region } from './messages'
import { RateLimit } from './rate-limit'
import { RequestLog } from './requests'
import { Signals } from './signals'
import { Timers } from './timers'
import type { LocalSegmentOptions } from './types'
import { Warehouse } from './warehouse/warehouse'
import type { WriteKeys } from './write-keys'

/** The state that both hosts share. */
export class Core {
  readonly keepAll: boolean
  readonly writeKeys: WriteKeys = new Map()
  readonly faults = new FaultOrders()
  readonly signals = new Signals()
  readonly timers = new Timers()
  readonly warehouse: Warehouse | undefined
  /** `host:port` of each region, set once both listen. */
  hosts: Readonly<Record<Region, string>> = { us: '', eu: '' }
  ingest: Ingest
  requests: RequestLog
  rateLimit: RateLimit

  constructor(readonly options: LocalSegmentOptions) {
    this.keepAll = options.keep !== 'counts'
    this.warehouse = options.warehouse && new Warehouse(options.warehouse)
    this.ingest = this.#freshIngest()
    this.requests = this.#freshRequests()
    this.rateLimit = this.#freshRateLimit()
  }

  /** Forgets all but the write keys, and what the warehouse has loaded. What is new replaces the old, so a request under way leaves no trace in it. */
  reset(): void {
    this.warehouse?.reset()
    this.ingest = this.#freshIngest()
    this.requests = this.#freshRequests()
    this.rateLimit = this.#freshRateLimit()
  }

  #freshIngest(): Ingest {
    const { dedup = true, dedupWindowMs = DEDUP_WINDOW_MS, maxBatchEvents = MAX_BATCH_EVENTS } = this.options
    const window = dedup ? new DedupWindow(dedupWindowMs) : undefined
    return new Ingest(this.writeKeys, window, this.keepAll, this.warehouse, maxBatchEvents)
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
