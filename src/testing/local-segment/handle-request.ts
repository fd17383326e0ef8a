import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerOf } from './answers'
import { applyFault } from './apply-fault'
import type { Core } from './core'
import { Exchange } from './exchange'
import { handleTracking } from './handle-tracking'
import type { Region } from './messages'
import { sourceSettings, writeKeyOfSettingsPath } from './settings'
import { callOfPath } from './tracking-call'

/** Handles and records a request to one of Segment's own paths, or to one that does not exist. */
export async function handleRequest(
  core: Core,
  region: Region,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const log = core.requests
  const record = log.open(request, region, path)
  const exchange = new Exchange(request, response, record, log, () => core.signals.notify())
  const call = request.method === 'POST' ? callOfPath(path) : undefined
  try {
    if (call) await handleTracking(core, exchange, call)
    else handleSettings(core, exchange, path)
  } catch (error) {
    // A fault's `when` or `predicate` that throws. There is nobody else to tell.
    if (response.headersSent) exchange.close()
    else exchange.send(answerOf(500, `the local Segment failed: ${error}`))
  }
  log.markHandled()
  core.signals.notify()
}

function handleSettings(core: Core, exchange: Exchange, path: string): void {
  const { request, record } = exchange
  const writeKey = request.method === 'GET' ? writeKeyOfSettingsPath(path) : undefined
  if (writeKey === undefined) {
    exchange.send(answerOf(404, `there is no ${request.method} ${path}`))
    return
  }
  record.writeKey = writeKey
  const source = core.writeKeys.get(writeKey)
  const answer = source
    ? { status: 200, body: sourceSettings(writeKey, source, core.hosts) }
    : answerOf(404, 'unknown write key')
  const fault = core.faults.takeEarly(record, 'settings') ?? core.faults.take(record, 'settings', [])
  record.fault = fault?.kind
  if (fault) applyFault(fault, exchange, answer, core.timers)
  else exchange.send(answer)
}
