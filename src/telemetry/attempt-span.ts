import {
  type Attributes,
  context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import type { Verdict } from '../segment/verdict'
import { parseTraceParent } from './trace-context'

/** Recording traces that one attempt is linked to at most: a batch may hold 500 of them, and tracers keep 128. */
export const MAX_LINKS = 32

export interface AboutAttempt {
  readonly sourceId: string
  readonly portalId: string
  readonly batchId: string
  /** 1 for the first. */
  readonly attempt: number
  readonly messages: readonly { readonly traceParent: string | null }[]
}

/**
 * The span of one attempt to send a batch: a trace of its own, never part of that of the request that happened to wake
 * the dispatcher, and linked to the traces in which its messages were recorded. A tracer that throws harms nothing.
 */
export class AttemptSpan {
  readonly #span: Span | undefined

  constructor(about: AboutAttempt) {
    this.#span = unharmed(() =>
      trace.getTracer('synap-outbox').startSpan(
        'send segment',
        {
          // The messages carry contexts of their own, those of their recording: CLIENT, by the messaging conventions.
          kind: SpanKind.CLIENT,
          links: recordingTraces(about.messages),
          attributes: attributesOf(about),
        },
        ROOT_CONTEXT,
      ),
    )
  }

  /** Runs `send` once, with the span active, so that spans of an instrumented HTTP client are within it. */
  run<Result>(send: () => Promise<Result>): Promise<Result> {
    let sent: Promise<Result> | undefined
    const span = this.#span
    if (span) unharmed(() => context.with(trace.setSpan(ROOT_CONTEXT, span), () => (sent = send())))
    return sent ?? send()
  }

  end(verdict: Verdict, status: number | undefined): void {
    unharmed(() => {
      const span = this.#span
      span?.setAttribute('synap_outbox.verdict', verdict.kind)
      if (status !== undefined) span?.setAttribute('http.response.status_code', status)
      if (verdict.kind !== 'accepted') {
        span?.setAttribute('error.type', verdict.kind)
        span?.setStatus({ code: SpanStatusCode.ERROR, message: verdict.reason })
      }
    })
    unharmed(() => this.#span?.end())
  }
}

/** Names of the messaging conventions where they have one. They are still in development: see docs/telemetry.md. */
function attributesOf({ sourceId, portalId, batchId, attempt, messages }: AboutAttempt): Attributes {
  return {
    'messaging.system': 'segment',
    'messaging.operation.name': 'send',
    'messaging.operation.type': 'send',
    'messaging.batch.message_count': messages.length,
    'synap_outbox.source.id': sourceId,
    'synap_outbox.portal.id': portalId,
    'synap_outbox.batch.id': batchId,
    'synap_outbox.attempt': attempt,
  }
}

/** One link for each recording span that was sampled: a link to any other leads nowhere. */
function recordingTraces(messages: AboutAttempt['messages']): Link[] {
  const links: Link[] = []
  for (const traceParent of new Set(messages.map((message) => message.traceParent))) {
    const context = parseTraceParent(traceParent)
    if (context && context.traceFlags & TraceFlags.SAMPLED) links.push({ context })
    if (links.length === MAX_LINKS) break
  }
  return links
}

function unharmed<Result>(observe: () => Result): Result | undefined {
  try {
    return observe()
  } catch {
    return undefined
  }
}
