import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import type { Outbox } from 'synap-outbox'
import { MAX_LINKS } from '../../src/telemetry/attempt-span'
import { activeTraceParent, parseTraceParent } from '../../src/telemetry/trace-context'
import { beganTest, type Connected, createScene, type Scene } from '../support/scene'
import { LONG_RESTS } from '../trouble/support/trouble-scene'
import { registerSdk, type Sdk } from './sdk'

let scene: Scene
let sdk: Sdk
let outbox: Outbox
let portal: Connected

beforeAll(async () => {
  scene = await createScene()
})
afterAll(() => scene.end())
beforeEach(async () => {
  await scene.rows('DELETE FROM outbox_message')
  sdk = registerSdk()
  outbox = scene.outbox({ dispatcher: LONG_RESTS })
  portal = await scene.connect(outbox)
})
afterEach(async () => {
  await outbox.stop()
  await sdk.unregister()
})

const call = () => ({ portalId: portal.portalId, userId: 'u', properties: beganTest() })
const record = (extra: { traceParent?: string } = {}, n = 1) =>
  scene.dataSource.transaction((tx) =>
    outbox.record(
      tx,
      Array.from({ length: n }, () => ({
        type: 'track' as const,
        event: 'Began Test' as const,
        ...call(),
        ...extra,
      })),
    ),
  )
/** Runs as a request of an instrumented application would: within a span. */
const inRequest = <Result>(work: (request: Span) => Promise<Result>) =>
  trace
    .getTracer('the application')
    .startActiveSpan('POST /attempts', (request) => work(request).finally(() => request.end()))
const stored = async () =>
  (
    await scene.rows<{ trace_parent: string | null }>(
      'SELECT trace_parent FROM outbox_message WHERE portal_id = $1 ORDER BY seq',
      [portal.portalId],
    )
  ).map((row) => row.trace_parent)
const attempts = () => sdk.spans().filter((span) => span.name === 'send segment')
const lastAttempt = () => attempts().at(-1) as ReadableSpan
const traceParent = (n: number, flags = '01') =>
  `00-${n.toString(16).padStart(32, '0')}-${n.toString(16).padStart(16, '0')}-${flags}`

describe('the recording request', () => {
  it('leaves the context of its active span with the message', async () => {
    const request = await inRequest(async (span) => {
      await record()
      return span.spanContext()
    })
    expect(await stored()).toEqual([`00-${request.traceId}-${request.spanId}-01`])
  })

  it('is that of the call when it is made, in concurrent requests too', async () => {
    const requests = await Promise.all(
      [1, 2, 3].map(() => inRequest(async (span) => record().then(() => span.spanContext().traceId))),
    )
    expect((await stored()).map((text) => text?.split('-')[1]).sort()).toEqual(requests.sort())
  })

  it('may be named by the call instead', async () => {
    await inRequest(() => record({ traceParent: traceParent(7) }))
    expect(await stored()).toEqual([traceParent(7)])
  })

  it('keeps the flag of a request that is not sampled', async () => {
    const unsampled = trace.wrapSpanContext({
      traceId: 'a'.repeat(32),
      spanId: 'b'.repeat(16),
      traceFlags: TraceFlags.NONE,
    })
    await context.with(trace.setSpan(ROOT_CONTEXT, unsampled), () => record())
    expect(await stored()).toEqual([`00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`])
  })

  it.each([
    'not a trace',
    '',
    `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`,
    `00-${'a'.repeat(32)}-${'0'.repeat(16)}-01`,
    `ff-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    `00-${'A'.repeat(32)}-${'b'.repeat(16)}-01`,
    `${traceParent(1)}-extra`,
    `${traceParent(1)}\n`,
    `<script>alert(1)</script>`,
    { toString: () => traceParent(1) },
  ])('is not taken from %j', async (hostile) => {
    expect(parseTraceParent(hostile)).toBeUndefined()
    const [result] = await record({ traceParent: hostile as string })
    expect(result?.outcome).toBe('recorded')
    expect(await stored()).toEqual([null])
  })

  it('is none where no span is active', async () => {
    expect(activeTraceParent()).toBeUndefined()
    await record()
    expect(await stored()).toEqual([null])
  })
})

describe('an attempt to send', () => {
  it('is a trace of its own, linked to the requests that recorded its messages', async () => {
    const [first, second] = await Promise.all(
      [2, 1].map((n) => inRequest(async (span) => record({}, n).then(() => span.spanContext()))),
    )
    await record()
    const draining = await inRequest(async (span) => {
      await outbox.drain() // a request that happens to drain, or to wake the dispatcher
      return span.spanContext()
    })
    expect(attempts()).toHaveLength(1)
    const { parentSpanContext, links, kind, status, attributes, ended } = lastAttempt()
    expect(parentSpanContext).toBeUndefined()
    expect([draining, first, second].map((context) => context?.traceId)).not.toContain(
      lastAttempt().spanContext().traceId,
    )
    expect(ended).toBe(true)
    expect(links.map(({ context }) => context.spanId).sort()).toEqual([first?.spanId, second?.spanId].sort())
    expect(kind).toBe(SpanKind.CLIENT)
    expect(status.code).toBe(SpanStatusCode.UNSET)
    expect(attributes).toEqual({
      'messaging.system': 'segment',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.batch.message_count': 4,
      'synap_outbox.source.id': portal.source.sourceId,
      'synap_outbox.portal.id': portal.portalId,
      'synap_outbox.batch.id': expect.stringMatching(/^\d+$/),
      'synap_outbox.attempt': 1,
      'synap_outbox.verdict': 'accepted',
      'http.response.status_code': 200,
    })
  })

  it('is not a child of the request that woke the started dispatcher', async () => {
    await outbox.start()
    const sent = new Promise((resolve) => outbox.on('settled', resolve))
    const request = await inRequest(async (span) => record().then(() => span.spanContext()))
    await sent
    expect(lastAttempt().parentSpanContext).toBeUndefined()
    expect(lastAttempt().spanContext().traceId).not.toBe(request.traceId)
    expect(lastAttempt().links.map(({ context }) => context.traceId)).toEqual([request.traceId])
  })

  it('is a trace of its own even where a request has created the outbox', async () => {
    const lazy = await inRequest(async () => scene.outbox())
    await record()
    await inRequest(() => lazy.drain())
    expect(attempts().map((span) => span.parentSpanContext)).toEqual([undefined])
  })

  it('that fails has an error status with the reason, and its retry is a span of its own', async () => {
    scene.segment.fault({ kind: 'status', status: 503, body: 'down' }, { times: 1 })
    await record({ traceParent: traceParent(9) })
    await outbox.drain()
    expect(lastAttempt().status).toEqual({ code: SpanStatusCode.ERROR, message: 'HTTP 503: down' })
    expect(lastAttempt().attributes).toMatchObject({
      'synap_outbox.verdict': 'ambiguous',
      'error.type': 'ambiguous',
      'http.response.status_code': 503,
    })
    await scene.rows(`UPDATE source_delivery SET resume_at = '-infinity'`)
    await outbox.drain()
    expect(attempts()).toHaveLength(2)
    expect(lastAttempt().attributes).toMatchObject({
      'synap_outbox.attempt': 2,
      'synap_outbox.verdict': 'accepted',
    })
    for (const { links } of attempts())
      expect(links.map((link) => link.context)).toEqual([parseTraceParent(traceParent(9))])
  })

  it('has a bounded number of links, each request once, and none to a request that was not sampled', async () => {
    await record({ traceParent: traceParent(1, '00') })
    for (let n = 2; n < MAX_LINKS + 10; n++) await record({ traceParent: traceParent(n) }, 2)
    await outbox.drain()
    const linked = lastAttempt().links.map(({ context }) => context.spanId)
    expect(linked).toEqual(
      Array.from({ length: MAX_LINKS }, (_, i) => parseTraceParent(traceParent(i + 2))?.spanId),
    )
  })

  it('is active while the request is out, for an instrumented HTTP client', async () => {
    let within: string | undefined
    const look = () => (within = trace.getActiveSpan()?.spanContext().spanId)
    subscribe('http.client.request.start', look)
    await record()
    await outbox.drain()
    unsubscribe('http.client.request.start', look)
    expect(within).toBe(lastAttempt().spanContext().spanId)
  })
})
