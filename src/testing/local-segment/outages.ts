import type { FaultHandle } from './fault-options'
import type { SegmentFault } from './faults'
import type { Region } from './messages'
import type { RegionalServer } from './regional-server'
import type { Timers } from './timers'

type Outage = Extract<SegmentFault, { kind: 'refuse-connections' }>

/** Times when a host does not listen. A host comes back when the last of its outages has ended. */
export class Outages {
  readonly #current = new Set<Outage>()

  constructor(
    private readonly servers: Readonly<Record<Region, RegionalServer>>,
    private readonly timers: Timers,
  ) {}

  start(ordered: Outage): FaultHandle {
    const outage = { ...ordered }
    this.#current.add(outage)
    for (const region of regionsOf(outage)) this.servers[region].goDown()
    // A port lost to another process cannot be reported to anyone from a timer; the outage then simply lasts.
    if (outage.forMs !== undefined) this.timers.after(outage.forMs, () => this.#end(outage).catch(() => {}))
    return { hits: 0, clear: () => this.#end(outage) }
  }

  /** Ends all outages. */
  async clear(): Promise<void> {
    await Promise.all([...this.#current].map((outage) => this.#end(outage)))
  }

  async #end(outage: Outage): Promise<void> {
    if (!this.#current.delete(outage)) return
    const stillDown = new Set([...this.#current].flatMap(regionsOf))
    const back = regionsOf(outage).filter((region) => !stillDown.has(region))
    await Promise.all(back.map((region) => this.servers[region].comeBack()))
  }
}

function regionsOf(outage: Outage): Region[] {
  return outage.region ? [outage.region] : ['us', 'eu']
}
