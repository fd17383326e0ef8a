import { type Answer, SUCCESS } from './answers'
import type { Exchange } from './exchange'
import type { RequestFault } from './faults'
import type { Timers } from './timers'

const HTML = '<!doctype html><html><body>Please sign in to use this network.</body></html>'
const HALF_OF_SUCCESS = Math.floor('{"success":true}'.length / 2)

/** Ends a request the way the fault says; `natural` is what the answer would be without it. */
export function applyFault(fault: RequestFault, exchange: Exchange, natural: Answer, timers: Timers): void {
  switch (fault.kind) {
    case 'status':
      exchange.send({ body: { success: fault.status < 400 }, ...fault })
      break
    case 'timeout':
      break
    case 'delay':
      timers.after(fault.ms, () => exchange.send(natural))
      break
    case 'reset-before-read':
    case 'reset-after-accept':
      exchange.reset()
      break
    case 'reset-mid-response':
      exchange.sendPart(SUCCESS, HALF_OF_SUCCESS, () => exchange.close())
      break
    case 'redirect':
      exchange.send({ status: fault.status, headers: { location: fault.location } })
      break
    case 'success-false':
      exchange.send({ status: 200, body: { success: false } })
      break
    case 'garbage-body':
      exchange.send({ status: 200, body: HTML, headers: { 'content-type': 'text/html' } })
      break
    case 'empty-body':
      exchange.send({ status: 200 })
      break
    case 'slow-body':
      exchange.sendPart(SUCCESS, HALF_OF_SUCCESS)
      break
    case 'truncated-body':
      exchange.sendShort(SUCCESS, 1)
      break
    case 'poison':
      exchange.send({ status: 400, body: { success: false, message: 'malformed event' } })
      break
  }
}
