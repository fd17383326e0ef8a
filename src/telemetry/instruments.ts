import type { Counter, Histogram, Meter, MetricOptions, ObservableGauge } from '@opentelemetry/api'

interface Metric {
  readonly name: string
  readonly kind: 'counter' | 'histogram' | 'gauge'
  /** UCUM, as the semantic conventions ask: seconds are `s`, what is counted stands in braces. */
  readonly unit: string
  readonly description: string
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: number[]
}

/** Every metric of the module. A contract: dashboards and alerts hold these names (docs/telemetry.md lists them). */
export const METRICS = {
  recorded: {
    name: 'synap_outbox.messages.recorded',
    kind: 'counter',
    unit: '{message}',
    description: 'Messages recorded by transactions that have committed.',
  },
  diverted: {
    name: 'synap_outbox.messages.diverted',
    kind: 'counter',
    unit: '{message}',
    description: 'Calls that cannot be sent, counted when they are made.',
  },
  delivered: {
    name: 'synap_outbox.messages.delivered',
    kind: 'counter',
    unit: '{message}',
    description: 'Messages that Segment has accepted.',
  },
  dead: {
    name: 'synap_outbox.messages.dead',
    kind: 'counter',
    unit: '{message}',
    description: 'Messages that Segment has refused for good.',
  },
  uncertain: {
    name: 'synap_outbox.messages.uncertain',
    kind: 'counter',
    unit: '{message}',
    description: 'Messages parked because nobody knows whether Segment has them.',
  },
  discarded: {
    name: 'synap_outbox.messages.discarded',
    kind: 'counter',
    unit: '{message}',
    description: 'Messages that an operator gave up.',
  },
  redriven: {
    name: 'synap_outbox.messages.redriven',
    kind: 'counter',
    unit: '{message}',
    description: 'Messages that an operator has sent again.',
  },
  pruned: {
    name: 'synap_outbox.messages.pruned',
    kind: 'counter',
    unit: '{message}',
    description: 'Settled messages removed after their retention.',
  },
  batchSize: {
    name: 'synap_outbox.batch.size',
    kind: 'histogram',
    unit: '{message}',
    description: 'Messages in one request.',
    buckets: [1, 2, 5, 10, 25, 50, 100, 200, 300, 400, 500],
  },
  requestDuration: {
    name: 'synap_outbox.request.duration',
    kind: 'histogram',
    unit: 's',
    description: 'Time from the start of a request to Segment to the end of its answer.',
    // The boundaries that the semantic conventions give for HTTP requests, up to the default time-out and beyond it.
    buckets: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30],
  },
  retries: {
    name: 'synap_outbox.retries',
    kind: 'counter',
    unit: '{request}',
    description: 'Requests that sent a batch again.',
  },
  leaseLosses: {
    name: 'synap_outbox.lease.losses',
    kind: 'counter',
    unit: '{lease}',
    description: 'Leases that this process lost, having settled nothing under them.',
  },
  errors: {
    name: 'synap_outbox.errors',
    kind: 'counter',
    unit: '{error}',
    description: 'Failures that the outbox goes on after by itself.',
  },
  canariesLost: {
    name: 'synap_outbox.canaries.lost',
    kind: 'counter',
    unit: '{canary}',
    description: 'Canaries that did not reach their warehouse in time.',
  },
  backlog: {
    name: 'synap_outbox.backlog',
    kind: 'gauge',
    unit: '{message}',
    description: 'Messages that wait.',
  },
  lag: {
    name: 'synap_outbox.lag',
    kind: 'gauge',
    unit: 's',
    description: 'Age of the oldest message of an enabled source that waits; 0 where none does.',
  },
  unresolved: {
    name: 'synap_outbox.unresolved',
    kind: 'gauge',
    unit: '{message}',
    description: 'Dead and uncertain messages, which wait for a person.',
  },
  dispatchers: {
    name: 'synap_outbox.dispatchers',
    kind: 'gauge',
    unit: '{process}',
    description: 'Processes that dispatch.',
  },
  sourcesInTrouble: {
    name: 'synap_outbox.sources.in_trouble',
    kind: 'gauge',
    unit: '{source}',
    description: 'Enabled sources that are behind, failing or refused.',
  },
  sourceBacklog: {
    name: 'synap_outbox.source.backlog',
    kind: 'gauge',
    unit: '{message}',
    description: 'Messages that wait, of the sources in the most trouble.',
  },
  sourceLag: {
    name: 'synap_outbox.source.lag',
    kind: 'gauge',
    unit: 's',
    description: 'Age of the oldest message that waits, of the enabled sources in the most trouble.',
  },
} as const satisfies Record<string, Metric>

type MetricName = keyof typeof METRICS
interface Kinds {
  counter: Counter
  histogram: Histogram
  gauge: ObservableGauge
}
export type Instruments = { readonly [M in MetricName]: Kinds[(typeof METRICS)[M]['kind']] }

export function createInstruments(meter: Meter): Instruments {
  const create = ({ name, kind, unit, description, buckets }: Metric): Kinds[Metric['kind']] => {
    const options: MetricOptions = { unit, description }
    if (kind === 'counter') return meter.createCounter(name, options)
    if (kind === 'gauge') return meter.createObservableGauge(name, options)
    return meter.createHistogram(name, { ...options, advice: { explicitBucketBoundaries: buckets } })
  }
  const created = Object.entries(METRICS).map(([name, metric]) => [name, create(metric)])
  const instruments = Object.fromEntries(created) as Instruments
  // An alert on an increase sees none where a counter comes into being at 1. By source that would be noise.
  const { diverted, discarded, redriven, pruned, canariesLost } = instruments
  for (const counter of [diverted, discarded, redriven, pruned, canariesLost]) counter.add(0)
  return instruments
}
