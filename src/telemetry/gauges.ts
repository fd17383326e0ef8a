import type { BatchObservableCallback, Meter, Observable } from '@opentelemetry/api'
import type { Inspection } from '../operate/inspect/inspection'
import type { Overview, SourceState } from '../operate/inspect/types'
import type { Instruments } from './instruments'
import { NAMED_SOURCES, SourceAttributes } from './source-attributes'

/** What is read is told again for so long: several readers, or an eager one, are one look at the database. */
const FRESH_MS = 5000

const TROUBLES = ['behind', 'failing', 'refused'] as const

interface Reading {
  readonly overview: Overview
  /** Those in the most trouble, and so all that are in any, up to the bound. */
  readonly sources: readonly SourceState[]
}

/**
 * Observes the state of the tables when metrics are collected, and only then: without an SDK nothing is ever read.
 * A failed read is reported, and leaves its collection without these values.
 */
export class Gauges {
  readonly #inspection: Pick<Inspection, 'overview' | 'sources'>
  readonly #failed: (error: unknown) => void
  #registered: { meter: Meter; callback: BatchObservableCallback; observables: Observable[] } | undefined
  #reading: Promise<Reading | undefined> | undefined
  #readAt = 0

  constructor(inspection: Pick<Inspection, 'overview' | 'sources'>, failed: (error: unknown) => void) {
    this.#inspection = inspection
    this.#failed = failed
  }

  register(meter: Meter, instruments: Instruments): void {
    this.unregister()
    const { backlog, lag, unresolved, dispatchers, sourcesInTrouble, sourceBacklog, sourceLag } = instruments
    const observables = [backlog, lag, unresolved, dispatchers, sourcesInTrouble, sourceBacklog, sourceLag]
    const callback: BatchObservableCallback = async (result) => {
      const reading = await this.#read()
      if (!reading) return
      const { overview, sources } = reading
      result.observe(backlog, overview.pending)
      result.observe(lag, (overview.lagMs ?? 0) / 1000)
      for (const status of ['dead', 'uncertain'] as const) {
        result.observe(unresolved, overview[status], { 'synap_outbox.status': status })
      }
      result.observe(dispatchers, overview.dispatchers.filter(({ alive }) => alive).length)
      for (const health of TROUBLES) {
        const troubled = sources.filter((source) => source.health === health)
        result.observe(sourcesInTrouble, troubled.length, { 'synap_outbox.health': health })
      }
      const attributes = new SourceAttributes()
      for (const source of sources) {
        result.observe(sourceBacklog, source.pending, attributes.of(source))
        // Paused by a person, a source does not lag.
        if (source.status !== 'enabled') continue
        result.observe(sourceLag, (source.lagMs ?? 0) / 1000, attributes.of(source))
      }
    }
    meter.addBatchObservableCallback(callback, observables)
    this.#registered = { meter, callback, observables }
  }

  /** Nothing is read from here on. Returns the read that is under way, which never rejects. */
  unregister(): Promise<unknown> | undefined {
    const [registered, reading] = [this.#registered, this.#reading]
    this.#registered = undefined
    this.#reading = undefined
    registered?.meter.removeBatchObservableCallback(registered.callback, registered.observables)
    return reading
  }

  #read(): Promise<Reading | undefined> {
    if (!this.#reading || performance.now() - this.#readAt > FRESH_MS) {
      this.#readAt = performance.now()
      this.#reading = this.#look()
    }
    return this.#reading
  }

  async #look(): Promise<Reading | undefined> {
    try {
      const [overview, sources] = await Promise.all([
        this.#inspection.overview(),
        this.#inspection.sources({ limit: NAMED_SOURCES }),
      ])
      return { overview, sources }
    } catch (error) {
      this.#failed(error)
      return undefined
    }
  }
}
