import { inspect } from 'node:util'
import { OperationError, type Outbox } from 'synap-outbox'
import { beganTest, createScene, random, type Scene } from '../support/scene'

let scene: Scene
let outbox: Outbox

beforeEach(async () => {
  scene = await createScene()
  outbox = scene.outbox()
})
afterEach(() => scene.end())

const by = { actor: 'olga', reason: 'INC-42' }
const key = (id: string, fill: number) => `${id}:${Buffer.alloc(32, fill).toString('base64')}`

describe('what people do to a source', () => {
  it('is in the audit, where it is said who does it', async () => {
    const { portalId, source, writeKey } = await scene.connect(outbox)
    const { sourceId } = source
    const { sources } = outbox
    await sources.pause(sourceId)
    expect(await outbox.inspect.audit()).toEqual([])

    await sources.resume(sourceId, by)
    await sources.pause(sourceId, by)
    await sources.setDetailedEvents(sourceId, true, by)
    await sources.saveWriteKey(sourceId, writeKey, { by })
    await sources.retryNow(sourceId, by)
    await sources.disable(sourceId, by)
    const again = await sources.connect({ portalId, writeKey, by })
    const audit = await outbox.inspect.audit()
    expect(audit.map(({ action }) => action).reverse()).toEqual([
      'resume',
      'pause',
      'change settings',
      'save write key',
      'retry now',
      'disable',
      'connect',
    ])
    expect(audit[0]).toMatchObject({ ...by, messages: 0, sourceId: again.sourceId })
    expect(await outbox.inspect.audit({ sourceId: again.sourceId })).toHaveLength(1)
    await expect(sources.pause(sourceId, { actor: '', reason: 'r' })).rejects.toThrow(OperationError)
  })

  it('is in the audit only if it was done', async () => {
    const { portalId } = await scene.connect(outbox)
    const twice = outbox.sources.connect({ portalId, writeKey: random(16), insist: true, by })
    await expect(twice).rejects.toThrow('connected to Segment already')
    await expect(outbox.sources.pause('00000000-0000-4000-8000-000000000000', by)).rejects.toThrow(
      'no source',
    )
    expect(await outbox.inspect.audit()).toEqual([])
  })

  it('ends its back-off where it is to be tried now, and leaves a paused one paused', async () => {
    const { source } = await scene.connect(outbox)
    await scene.rows(`UPDATE source_delivery SET resume_at = now() + interval '1 hour', failures = 5`)
    expect(await outbox.sources.retryNow(source.sourceId, by)).toMatchObject({ status: 'enabled' })
    const [delivery] = await scene.rows('SELECT resume_at, failures FROM source_delivery')
    expect(delivery).toEqual({ resume_at: -Infinity, failures: 0 })
    await outbox.sources.pause(source.sourceId)
    expect(await outbox.sources.retryNow(source.sourceId)).toMatchObject({ status: 'paused' })
  })
})

describe('the sources of all portals', () => {
  it('are listed in the order of portals, page after page, without their keys', async () => {
    const portals = ['a', 'b', 'c']
    for (const portalId of portals) await scene.connect(outbox, { portalId })
    const all = await outbox.sources.list()
    expect(all.map(({ portalId }) => portalId)).toEqual(portals)
    expect((await outbox.sources.list({ after: all[0] })).map(({ portalId }) => portalId)).toEqual(['b', 'c'])
    expect(Object.keys(all[0] ?? {}).filter((name) => /cipher|secret/i.test(name))).toEqual([])
  })
})

describe('rotating the secret keys', () => {
  it('encrypts every write key with the first one, and they are the same keys', async () => {
    const connected = [await scene.connect(outbox), await scene.connect(outbox)]
    const versions = () => scene.rows('SELECT source_id, write_key_version FROM segment_source ORDER BY 1')
    const before = await versions()
    const rotating = scene.outbox({ secretKeys: `${key('k2', 2)},${key('k1', 7)}` })
    expect(await rotating.sources.rotateSecrets(by)).toEqual({
      rotated: 2,
      current: 0,
      replaced: 0,
      missing: [],
    })
    expect(await rotating.sources.rotateSecrets(by)).toMatchObject({ rotated: 0, current: 2 })
    expect(await versions()).toEqual(before)

    const alone = scene.outbox({ secretKeys: key('k2', 2) })
    for (const { portalId, writeKey } of connected) {
      await scene.dataSource.transaction((tx) =>
        alone.track(tx, 'Began Test', { portalId, userId: 'u', properties: beganTest() }),
      )
      await alone.drain()
      expect(scene.segment.accepted({ writeKey })).toHaveLength(1)
    }
    expect((await outbox.inspect.audit()).map(({ action }) => action)).toEqual([
      'rotate secret',
      'rotate secret',
    ])
  })

  it('tells which write keys it cannot read, and leaves them', async () => {
    const { portalId, source } = await scene.connect(outbox)
    const stranger = scene.outbox({ secretKeys: key('k2', 2) })
    expect(await stranger.sources.rotateSecrets()).toEqual({
      rotated: 0,
      current: 0,
      replaced: 0,
      missing: [{ sourceId: source.sourceId, portalId, secretId: 'k1' }],
    })
  })

  it('never puts an old key back over one that is saved at the same moment', async () => {
    const { source } = await scene.connect(outbox)
    const rotating = scene.outbox({ secretKeys: `${key('k2', 2)},${key('k1', 7)}` })
    // Saved between the reading of the old key and its writing.
    const query = scene.dataSource.query.bind(scene.dataSource)
    let saved = false
    const slipIn = jest.spyOn(scene.dataSource, 'query').mockImplementation(async (sql, parameters) => {
      if (!saved && sql.includes('AND write_key_ciphertext = $4')) {
        saved = true
        await rotating.sources.saveWriteKey(source.sourceId, 'another-key-5678', { insist: true })
      }
      return query(sql, parameters)
    })
    expect(await rotating.sources.rotateSecrets()).toMatchObject({ rotated: 0, replaced: 1 })
    slipIn.mockRestore()
    expect(await outbox.sources.list()).toEqual([expect.objectContaining({ writeKeyLastFour: '5678' })])
  })
})

it('nothing that inspects shows a write key, or what it is encrypted as', async () => {
  const { portalId, writeKey } = await scene.connect(outbox)
  const { messageId } = await scene.dataSource.transaction((tx) =>
    outbox.track(tx, 'Began Test', { portalId, userId: 'u', properties: beganTest() }),
  )
  await outbox.drain()
  const { overview, activity, sources, messages, message, failures, preview, audit, doctor, health } =
    outbox.inspect
  const now = Date.now()
  const shown = await Promise.all([
    overview(),
    activity({ from: new Date(now - 60_000), to: new Date(now + 60_000) }),
    sources(),
    messages(),
    message(messageId as string),
    failures(),
    preview({ portalId }),
    audit(),
    doctor(),
    health(),
  ])
  const [{ ciphertext }] = (await scene.rows<{ ciphertext: Buffer }>(
    'SELECT write_key_ciphertext AS ciphertext FROM segment_source',
  )) as [{ ciphertext: Buffer }]
  const all = inspect(shown, { depth: 12, maxArrayLength: null })
  expect(all).toContain(writeKey.slice(-4))
  for (const secret of [writeKey, ciphertext.toString('hex'), ciphertext.toString('base64')]) {
    expect(all).not.toContain(secret)
  }
  expect(all).not.toMatch(/<Buffer|ciphertext/)
})
