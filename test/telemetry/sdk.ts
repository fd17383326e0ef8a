import { type Attributes, context, metrics, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'

interface Point {
  readonly attributes: Attributes
  readonly value: unknown
}

/** OpenTelemetry's own SDK, registered as an application would, exporting to memory. */
export interface Sdk {
  /** What a collection finds at this moment: the points of each metric, by its name. */
  collect(): Promise<Map<string, readonly Point[]>>
  /** The sum of a metric's points that have these attributes; undefined where there is none. */
  value(name: string, attributes?: Attributes): Promise<number | undefined>
  /** Spans that have ended, in order. */
  spans(): ReadableSpan[]
  unregister(): Promise<void>
}

class Reader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

export function registerSdk(): Sdk {
  const reader = new Reader()
  const meters = new MeterProvider({ readers: [reader] })
  const exporter = new InMemorySpanExporter()
  const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  const registered = [
    metrics.setGlobalMeterProvider(meters),
    trace.setGlobalTracerProvider(tracers),
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()),
  ]
  if (!registered.every(Boolean)) throw new Error('Another SDK is registered: unregister() it first.')
  const collect = async () => {
    const { resourceMetrics } = await reader.collect()
    const found = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics)
    return new Map(found.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints as Point[]]))
  }
  return {
    collect,
    async value(name, attributes = {}) {
      const points = (await collect()).get(name) ?? []
      const wanted = Object.entries(attributes)
      const values = points
        .filter((point) => wanted.every(([key, value]) => point.attributes[key] === value))
        .map((point) => point.value as number)
      return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value)
    },
    spans: () => exporter.getFinishedSpans(),
    async unregister() {
      metrics.disable()
      trace.disable()
      context.disable()
      await Promise.all([meters.shutdown(), tracers.shutdown()])
    },
  }
}
