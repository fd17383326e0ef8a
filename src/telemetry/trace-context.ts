import { isSpanContextValid, type SpanContext, TraceFlags, trace } from '@opentelemetry/api'

/** W3C Trace Context, section 3.2: version, trace id, span id, flags, in lower-case hexadecimal. */
const TRACE_PARENT = /^(?!ff)[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/

/** The span that a `traceparent` names; undefined for anything else, which is ignored as the specification asks. */
export function parseTraceParent(text: unknown): SpanContext | undefined {
  if (typeof text !== 'string') return undefined
  const [, traceId = '', spanId = '', flags = ''] = TRACE_PARENT.exec(text) ?? []
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
  return isSpanContextValid(context) ? context : undefined
}

/** The `traceparent` of the span that is active at this moment; undefined where none is. Never throws. */
export function activeTraceParent(): string | undefined {
  try {
    const context = trace.getActiveSpan()?.spanContext()
    if (!context || !isSpanContextValid(context)) return undefined
    const flags = context.traceFlags & TraceFlags.SAMPLED ? '01' : '00'
    return `00-${context.traceId}-${context.spanId}-${flags}`
  } catch {
    return undefined // a context manager that fails must not fail an exam
  }
}
