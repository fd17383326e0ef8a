import { type MeterProvider, metrics } from '@opentelemetry/api'
import type { Events } from '../events'
import type { Inspection } from '../operate/inspect/inspection'
import { countEvents } from './counters'
import { Gauges } from './gauges'
import { createInstruments, type Instruments } from './instruments'

/**
 * The metrics of one outbox, by whatever OpenTelemetry SDK the application has registered; without one, nothing.
 *
 * The API hands out instruments that do nothing for ever when they are made before the SDK is registered, and an
 * application may do that at any time: they are made afresh when the provider is another one than before.
 */
export class Telemetry {
  readonly #events: Events
  readonly #gauges: Gauges
  #provider: MeterProvider | undefined
  #instruments: Instruments | undefined
  #started = false

  constructor(events: Events, inspection: Pick<Inspection, 'overview' | 'sources'>) {
    this.#events = events
    this.#gauges = new Gauges(inspection, (error) => events.emit('error', { error, during: 'telemetry' }))
    countEvents(events, () => this.#current())
  }

  /** From here on the state of the tables is observed: a process that only records leaves that to one that dispatches. */
  start(): void {
    this.#started = true
    this.#provider = undefined // the gauges have to be registered, whatever instruments there are
    this.#unharmed(() => this.#current())
  }

  async stop(): Promise<void> {
    this.#started = false
    let reading: Promise<unknown> | undefined
    this.#unharmed(() => (reading = this.#gauges.unregister()))
    await reading
  }

  #current(): Instruments {
    const provider = metrics.getMeterProvider()
    if (provider !== this.#provider || !this.#instruments) {
      const meter = provider.getMeter('synap-outbox')
      this.#instruments = createInstruments(meter)
      this.#provider = provider
      if (this.#started) this.#gauges.register(meter, this.#instruments)
    }
    return this.#instruments
  }

  #unharmed(observe: () => void): void {
    try {
      observe()
    } catch (error) {
      this.#events.emit('error', { error, during: 'telemetry' })
    }
  }
}
