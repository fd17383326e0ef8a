import type { Core } from './core'
import { type ArrivedMessage, type MessageFilter, type Region, toPredicate } from './messages'
import { Outages } from './outages'
import type { RegionalServer } from './regional-server'
import type { LocalSegment, LocalSegmentSummary, WaitCondition } from './types'
import { schemaName } from './warehouse/warehouse'

const WAIT_MS = 10_000

type Counts = Exclude<WaitCondition, (...args: never[]) => unknown>

/** The handle on a running local Segment. */
export function createLocalSegment(
  core: Core,
  servers: Readonly<Record<Region, RegionalServer>>,
): LocalSegment {
  const outages = new Outages(servers, core.timers)
  const pick = <Message extends ArrivedMessage>(messages: readonly Message[], filter: MessageFilter = {}) => {
    if (core.keepAll) return messages.filter(toPredicate(filter))
    throw new Error(
      "This local Segment keeps no messages: it was started with keep: 'counts'. Use summary().",
    )
  }
  const summary = (): LocalSegmentSummary => ({
    ...core.ingest.tally.toSummary(),
    requests: { total: core.requests.handled, byStatus: core.requests.byStatus },
  })

  const segment: LocalSegment = {
    url: servers.us.url,
    euUrl: servers.eu.url,
    port: servers.us.port,
    euPort: servers.eu.port,

    addWriteKey(writeKey, { region = 'us', workspace = 'default', source = writeKey } = {}) {
      core.writeKeys.set(writeKey, { region, workspace, source })
    },
    removeWriteKey(writeKey) {
      core.writeKeys.delete(writeKey)
    },
    blockEvent(event) {
      core.ingest.blockedEvents.add(event)
    },
    unblockEvent(event) {
      core.ingest.blockedEvents.delete(event)
    },

    accepted: (filter) => pick(core.ingest.accepted, filter),
    duplicates: (filter) => pick(core.ingest.duplicates, filter),
    discarded: (filter) => pick(core.ingest.discarded, filter),
    requests: () => [...core.requests.list],
    summary,

    schemaOf(writeKey) {
      const source = core.writeKeys.get(writeKey)
      if (!source) throw new Error('The local Segment does not know this write key: add it first.')
      return schemaName(source.source)
    },
    async loadWarehouse() {
      if (!core.warehouse) throw new Error('This local Segment was started without `warehouse`.')
      await core.warehouse.load()
    },

    waitFor(condition, { timeoutMs = WAIT_MS } = {}) {
      return core.signals.wait(
        () => (typeof condition === 'function' ? condition(segment) : reached(core, condition)),
        timeoutMs,
        () =>
          `Waited ${timeoutMs} ms for ${describe(condition)}. The local Segment has ${JSON.stringify(summary())}.`,
      )
    },

    fault(fault, options) {
      if (!('kind' in fault) || fault.kind !== 'refuse-connections') return core.faults.add(fault, options)
      if (options && Object.values(options).some((value) => value !== undefined)) {
        throw new TypeError('refuse-connections happens to a host, not to requests: it takes no options.')
      }
      return outages.start(fault)
    },
    async clearFaults() {
      core.faults.clear()
      await outages.clear()
    },
    async reset() {
      core.reset()
      await segment.clearFaults()
    },
    async close() {
      core.timers.clear()
      core.signals.end(new Error('The local Segment was closed.'))
      await Promise.all([servers.us.close(), servers.eu.close()])
      await core.warehouse?.close()
    },
  }
  return segment
}

/** Reads the running counts only: this is asked after every request, and a summary grows with the portals. */
function reached({ ingest: { tally }, requests }: Core, counts: Counts): boolean {
  return (
    tally.accepted >= (counts.accepted ?? 0) &&
    tally.duplicates >= (counts.duplicates ?? 0) &&
    tally.discarded >= (counts.discarded ?? 0) &&
    requests.handled >= (counts.requests ?? 0)
  )
}

function describe(condition: WaitCondition): string {
  return typeof condition === 'function' ? `the condition ${condition}` : JSON.stringify(condition)
}
