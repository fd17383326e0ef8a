import { type ContextManager, context, metrics, trace } from '@opentelemetry/api'
import type { Histogram } from '@opentelemetry/sdk-metrics'
import type { Outbox, OutboxEvents } from 'synap-outbox'
import { METRICS } from '../../src/telemetry/instruments'
import { NAMED_SOURCES, SourceAttributes } from '../../src/telemetry/source-attributes'
import { beganTest, type Connected, createScene, type Scene } from '../support/scene'
import { openGate } from '../trouble/support/gate'
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

/** Each test has metrics, an outbox and a portal of its own, and an empty table. */
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

const by = { actor: 'olga', reason: 'a test' }
const call = (properties = beganTest()) => ({ portalId: portal.portalId, userId: 'u', properties })
const record = (n = 1) =>
  scene.dataSource.transaction(async (tx) => {
    for (let i = 0; i < n; i++) await outbox.track(tx, 'Began Test', call())
  })
const endRests = () => scene.rows(`UPDATE source_delivery SET resume_at = '-infinity'`)
const ofPortal = () => ({
  'synap_outbox.portal.id': portal.portalId,
  'synap_outbox.source.id': portal.source.sourceId,
})
const counted = (metric: keyof typeof METRICS, attributes = {}) => sdk.value(METRICS[metric].name, attributes)
const histogram = async (metric: keyof typeof METRICS) => {
  const points = (await sdk.collect()).get(METRICS[metric].name) ?? []
  return points.map(({ attributes, value }) => ({ attributes, ...(value as Histogram) }))
}

describe('what is recorded', () => {
  it('counts by its source when the transaction has committed, not before, and no fact twice', async () => {
    const properties = beganTest()
    await scene.dataSource.transaction(async (tx) => {
      await outbox.track(tx, 'Began Test', call(properties))
      await outbox.record(tx, [
        { type: 'track', event: 'Began Test', ...call(properties) },
        { type: 'identify', portalId: portal.portalId, userId: 'u', traits: {} },
      ])
      expect(await counted('recorded')).toBeUndefined()
    })
    expect(await counted('recorded', ofPortal())).toBe(2)
  })

  it('does not count what is rolled back', async () => {
    const failed = scene.dataSource.transaction(async (tx) => {
      await outbox.track(tx, 'Began Test', call())
      throw new Error('the exam was not saved')
    })
    await expect(failed).rejects.toThrow('not saved')
    await record()
    expect(await counted('recorded')).toBe(1)
  })

  it('counts what is left of nested transactions', async () => {
    const events: OutboxEvents['recorded'][] = []
    outbox.on('recorded', (event) => events.push(event))
    await scene.dataSource.transaction(async (tx) => {
      await outbox.track(tx, 'Began Test', call())
      await tx.transaction((nested) => outbox.track(nested, 'Began Test', call())) // kept: released
      const failed = tx.transaction(async (nested) => {
        await outbox.track(nested, 'Began Test', call())
        await nested.transaction((deeper) => outbox.track(deeper, 'Began Test', call()))
        throw new Error('only the inner ones')
      })
      await expect(failed).rejects.toThrow('only the inner ones')
      await outbox.track(tx, 'Began Test', call())
    })
    const { portalId, source } = portal
    expect(events).toEqual([{ sourceId: source.sourceId, portalId, messages: 3 }])
    expect(await scene.rows('SELECT FROM outbox_message')).toHaveLength(3)
  })

  it('counts a call that cannot be sent when it is made, for the defect is in the code that makes it', async () => {
    const bad = { portalId: portal.portalId, userId: '', properties: beganTest() }
    const failed = scene.dataSource.transaction(async (tx) => {
      await outbox.track(tx, 'Began Test', bad)
      throw new Error('rolled back')
    })
    await expect(failed).rejects.toThrow('rolled back')
    expect(await counted('diverted')).toBe(1)
    expect(await counted('recorded')).toBeUndefined()
  })
})

describe('what is sent', () => {
  it('counts deliveries, and observes the batch and the request', async () => {
    await record(3)
    await outbox.drain()
    expect(await counted('delivered', ofPortal())).toBe(3)
    expect(await histogram('batchSize')).toMatchObject([{ count: 1, sum: 3 }])
    const [request] = await histogram('requestDuration')
    expect(request).toMatchObject({
      attributes: { 'synap_outbox.verdict': 'accepted', 'http.response.status_code': 200 },
      count: 1,
    })
    expect(request?.sum).toBeGreaterThan(0)
    expect(request?.sum).toBeLessThan(10) // seconds
    expect(await counted('retries')).toBeUndefined()
  })

  it('counts a refused message as dead, and each request by its verdict and status', async () => {
    scene.segment.fault({ kind: 'status', status: 400 }, { times: 1 })
    await record()
    await outbox.drain()
    expect(await counted('dead', ofPortal())).toBe(1)
    expect((await histogram('requestDuration')).map(({ attributes }) => attributes)).toEqual([
      { 'synap_outbox.verdict': 'refused-message', 'http.response.status_code': 400 },
    ])
  })

  it('counts a batch that is sent again as a retry', async () => {
    scene.segment.fault({ kind: 'status', status: 503 }, { times: 1 })
    await record()
    await outbox.drain()
    expect(await counted('retries')).toBeUndefined()
    await endRests()
    await outbox.drain()
    expect(await counted('retries', ofPortal())).toBe(1)
  })

  it('counts what is parked as uncertain', async () => {
    scene.segment.fault({ kind: 'status', status: 503 }, { times: 1 })
    await record()
    await outbox.drain()
    await scene.rows(`UPDATE outbox_batch SET first_ambiguous_at = now() - interval '24 hours'`)
    await endRests()
    await outbox.drain()
    expect(await counted('uncertain', ofPortal())).toBe(1)
  })

  it('counts a lost lease', async () => {
    const gate = await openGate(scene.segment.url)
    const slow = scene.outbox({ segment: { host: gate.url } })
    await record()
    const hold = gate.hold('answer')
    const draining = slow.drain()
    await hold.arrived()
    await scene.rows('UPDATE source_delivery SET lease_token = lease_token + 1')
    hold.release()
    await draining
    await slow.stop()
    await gate.close()
    expect(await counted('leaseLosses', ofPortal())).toBe(1)
    expect(await counted('delivered')).toBeUndefined()
  })
})

describe('what people and retention do', () => {
  it('counts what is redriven, discarded and pruned', async () => {
    scene.segment.fault({ kind: 'status', status: 400 }, { times: 2 }) // the batch of two, and its first half
    await record(2)
    await outbox.drain()
    expect(await counted('dead')).toBe(1)
    await outbox.redrive({ portalId: portal.portalId }, by)
    expect(await counted('redriven')).toBe(1)
    await outbox.discard({ portalId: portal.portalId }, by)
    expect(await counted('discarded')).toBe(1)
    await scene.rows(`UPDATE outbox_message SET settled_at = now() - interval '1 year', recorded_at = now() - interval '1 year'
                      WHERE status <> 'pending'`)
    const { messages } = await outbox.prune()
    expect(await counted('pruned')).toBe(messages)
  })
})

describe('the state of the tables', () => {
  const source = (metric: 'sourceBacklog' | 'sourceLag') => counted(metric, ofPortal())

  it('is observed when metrics are collected: backlog, lag, what waits for a person, dispatchers', async () => {
    await outbox.sources.pause(portal.source.sourceId) // nothing is sent
    const busy = await scene.connect(outbox)
    await record(2)
    await scene.dataSource.transaction(async (tx) => {
      await outbox.track(tx, 'Began Test', { ...call(), portalId: busy.portalId })
      await outbox.track(tx, 'Began Test', { ...call(), userId: '' })
    })
    await scene.rows(`UPDATE source_delivery SET resume_at = now() + interval '1 hour'`)
    await scene.rows(
      `UPDATE outbox_message SET recorded_at = now() - interval '1 hour' WHERE status = 'pending'`,
    )
    expect(await counted('backlog')).toBeUndefined() // before start()
    await outbox.start()
    expect(await counted('backlog')).toBe(3)
    expect(Math.floor((await counted('lag')) ?? 0)).toBeCloseTo(3600, -2)
    expect(await counted('unresolved', { 'synap_outbox.status': 'dead' })).toBe(1)
    expect(await counted('unresolved', { 'synap_outbox.status': 'uncertain' })).toBe(0)
    expect(await source('sourceBacklog')).toBe(2)
    expect(await source('sourceLag')).toBeUndefined() // paused
    expect(await counted('sourceLag', { 'synap_outbox.portal.id': busy.portalId })).toBeGreaterThanOrEqual(
      3600,
    )
    expect(await counted('sourcesInTrouble', { 'synap_outbox.health': 'refused' })).toBe(0)
    expect(await counted('dispatchers')).toBe(1)
  })

  it('is read once for a few seconds, however often it is collected', async () => {
    await outbox.start()
    await outbox.drain()
    const query = jest.spyOn(scene.dataSource, 'query')
    const looks = () => query.mock.calls.filter(([sql]) => sql.includes('"lagMs"')).length
    await sdk.collect()
    const once = looks()
    await Promise.all([sdk.collect(), sdk.collect()])
    expect(once).toBeGreaterThan(0)
    expect(looks()).toBe(once)
    query.mockRestore()
  })

  it('is not read before start(), nor after stop()', async () => {
    const query = jest.spyOn(scene.dataSource, 'query')
    await sdk.collect()
    expect(query).not.toHaveBeenCalled()
    await outbox.start()
    await outbox.stop()
    query.mockClear()
    await sdk.collect()
    expect(query).not.toHaveBeenCalled()
    query.mockRestore()
    await outbox.start()
    expect(await counted('backlog')).toBe(0)
  })

  it('that cannot be read is an error event, and no value', async () => {
    const during: string[] = []
    outbox.on('error', (event) => during.push(event.during))
    await outbox.start()
    await outbox.drain()
    await scene.rows('ALTER TABLE segment_source RENAME TO hidden')
    try {
      expect(await counted('backlog')).toBeUndefined()
    } finally {
      await scene.rows('ALTER TABLE hidden RENAME TO segment_source')
    }
    expect(during).toContain('telemetry')
    expect(await counted('errors', { 'synap_outbox.during': 'telemetry' })).toBeGreaterThan(0)
  })
})

it('names sources up to a bound, and calls the rest "other"', async () => {
  const events = Array.from({ length: NAMED_SOURCES + 5 }, (_, i) => ({
    sourceId: `source-${i}`,
    portalId: `portal-${i}`,
    messages: 1,
  }))
  const labels = new SourceAttributes()
  const named = events.map((event) => labels.of(event))
  expect(new Set(named).size).toBe(NAMED_SOURCES + 1)
  expect(labels.of(events[0] as (typeof events)[0])).toEqual({
    'synap_outbox.source.id': 'source-0',
    'synap_outbox.portal.id': 'portal-0',
  })
  expect(named.at(-1)).toEqual({ 'synap_outbox.source.id': 'other', 'synap_outbox.portal.id': 'other' })
})

describe('the SDK', () => {
  it('may be registered after createOutbox and before start', async () => {
    await sdk.unregister()
    const early = scene.outbox()
    sdk = registerSdk()
    await early.start()
    await record()
    await early.drain()
    expect(await counted('delivered', ofPortal())).toBe(1)
    expect(await counted('backlog')).toBe(0)
    await early.stop()
  })

  it('may be registered later still, and replaced', async () => {
    await outbox.start()
    await sdk.unregister()
    sdk = registerSdk()
    await record()
    expect(await counted('recorded', ofPortal())).toBe(1)
    expect(await counted('backlog')).toBeDefined()
  })

  it('may be missing: nothing is read, and nothing fails', async () => {
    await sdk.unregister()
    const errors: unknown[] = []
    outbox.on('error', (event) => errors.push(event))
    await outbox.start()
    await record()
    await outbox.drain()
    expect(scene.segment.accepted({ writeKey: portal.writeKey })).toHaveLength(1)
    await outbox.stop()
    expect(errors).toEqual([])
    sdk = registerSdk()
  })

  it('may throw at every call: what is recorded is delivered all the same', async () => {
    await sdk.unregister()
    const broken = () => {
      throw new Error('a broken SDK')
    }
    metrics.setGlobalMeterProvider({ getMeter: broken })
    trace.setGlobalTracerProvider({ getTracer: broken })
    const manager = { active: broken, with: broken, bind: broken, enable: broken, disable: () => manager }
    context.setGlobalContextManager(manager as unknown as ContextManager)
    await outbox.start()
    await record()
    await outbox.drain()
    await outbox.stop()
    for (const api of [metrics, trace, context]) api.disable()
    sdk = registerSdk()
    expect(scene.segment.accepted({ writeKey: portal.writeKey })).toHaveLength(1)
  })
})
