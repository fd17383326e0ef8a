import type { FaultHandle, FaultOptions } from './fault-options'
import type { RequestFault } from './faults'
import { isMessage } from './message-rules'
import type { ReceivedRequest } from './requests'

interface Order {
  faults: readonly RequestFault[]
  options: FaultOptions
  /** Requests it has happened to; the next one gets the next fault of the sequence. */
  hits: number
  maxHits: number
}

/** Faults ordered for single requests. The order given first wins, except that a reset before reading comes before all. */
export class FaultOrders {
  readonly #orders = new Set<Order>()

  add(faults: RequestFault | readonly RequestFault[], options: FaultOptions = {}): FaultHandle {
    const sequence = 'kind' in faults ? [faults] : faults
    const runs = options.times ?? ('kind' in faults ? Number.POSITIVE_INFINITY : 1)
    const order: Order = { faults: sequence, options, hits: 0, maxHits: runs * sequence.length }
    if (order.maxHits > 0) this.#orders.add(order)
    return {
      get hits() {
        return order.hits
      },
      clear: async () => {
        this.#orders.delete(order)
      },
    }
  }

  /** The fault that happens to a request before its body is read. */
  takeEarly(request: ReceivedRequest, on: 'tracking' | 'settings'): RequestFault | undefined {
    return this.#take(request, on, true, [])
  }

  /** The fault that happens to a request once its messages are known. */
  take(
    request: ReceivedRequest,
    on: 'tracking' | 'settings',
    messages: readonly unknown[],
  ): RequestFault | undefined {
    return this.#take(request, on, false, messages)
  }

  clear(): void {
    this.#orders.clear()
  }

  #take(
    request: ReceivedRequest,
    on: 'tracking' | 'settings',
    early: boolean,
    messages: readonly unknown[],
  ): RequestFault | undefined {
    for (const order of this.#orders) {
      const fault = order.faults[order.hits % order.faults.length]
      if (!fault || (fault.kind === 'reset-before-read') !== early) continue
      if (!concerns(order.options, request, on)) continue
      if (fault.kind === 'poison' && !messages.some((value) => isMessage(value) && fault.predicate(value))) {
        continue
      }
      if (++order.hits >= order.maxHits) this.#orders.delete(order)
      return fault
    }
    return undefined
  }
}

function concerns(options: FaultOptions, request: ReceivedRequest, on: 'tracking' | 'settings'): boolean {
  if ((options.on ?? 'tracking') !== on) return false
  if (options.writeKey !== undefined && options.writeKey !== request.writeKey) return false
  return options.when?.(request) ?? true
}
