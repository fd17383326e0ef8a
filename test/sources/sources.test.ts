import { inspect } from 'node:util'
import { type Outbox, SourceError } from 'synap-outbox'
import { WriteKeyCipher } from '../../src/sources/write-key-cipher'
import { beganTest, createScene, random, type Scene } from '../support/scene'

let scene: Scene
let outbox: Outbox

beforeAll(async () => {
  scene = await createScene()
  outbox = scene.outbox()
})
afterAll(() => scene.end())

describe('connecting a portal', () => {
  it('verifies the write key with Segment: known, unknown, and could not ask', async () => {
    const [known, unknown] = [random(16), random(16)]
    scene.segment.addWriteKey(known)
    expect(await outbox.sources.connect({ portalId: random(), writeKey: known })).toMatchObject({
      verification: 'known',
      verifiedAt: expect.any(Date),
    })
    const refused = outbox.sources.connect({ portalId: random(), writeKey: unknown })
    await expect(refused).rejects.toThrow(`does not know the write key that ends in ${unknown.slice(-4)}`)
    await expect(refused).rejects.not.toThrow(unknown)
    const insisted = await outbox.sources.connect({ portalId: random(), writeKey: unknown, insist: true })
    expect(insisted.verification).toBe('unknown')

    const down = scene.segment.fault({ kind: 'status', status: 500 }, { on: 'settings' })
    const unverified = await outbox.sources.connect({ portalId: random(), writeKey: random(16) })
    await down.clear()
    expect(unverified).toMatchObject({ verification: 'unverified', verifiedAt: null })
  })

  it.each([[''], ['short'], ['has space in it'], ['colon:inside-of-it'], ['ключ-кириллицей']])(
    'refuses "%s", which is no write key',
    async (writeKey) => {
      await expect(outbox.sources.connect({ portalId: random(), writeKey })).rejects.toThrow(SourceError)
    },
  )

  it('keeps one active source a portal, whoever connects at the same moment', async () => {
    const portalId = random()
    const connect = () => outbox.sources.connect({ portalId, writeKey: random(16), insist: true })
    const results = await Promise.allSettled([connect(), connect(), connect()])
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1)
    await expect(connect()).rejects.toThrow('connected to Segment already')
  })

  it('does not enable a second source of a portal', async () => {
    const first = await scene.connect(outbox)
    await outbox.sources.disable(first.source.sourceId)
    await scene.connect(outbox, { portalId: first.portalId })
    await expect(outbox.sources.resume(first.source.sourceId)).rejects.toThrow(SourceError)
  })

  it('replaces the active source in one statement, and not for a key that is refused', async () => {
    const { portalId, source } = await scene.connect(outbox)
    const by = { actor: 'olga', reason: 'a new workspace' }
    const replace = (writeKey: string, insist: boolean) =>
      outbox.sources.connect({ portalId, writeKey, insist, replace: true, by })
    await expect(replace(random(16), false)).rejects.toMatchObject({ problem: 'unknown-key' })
    await expect(replace('no key', true)).rejects.toMatchObject({ problem: 'malformed-key' })
    expect(await outbox.sources.ofPortal(portalId)).toEqual(source)

    const second = await replace(random(16), true)
    expect(await outbox.sources.ofPortal(portalId)).toEqual(second)
    await expect(outbox.sources.resume(source.sourceId)).rejects.toMatchObject({
      problem: 'connected-already',
    })
    const audit = await scene.rows(
      'SELECT source_id, action FROM outbox_audit WHERE source_id IN ($1, $2) ORDER BY action',
      [source.sourceId, second.sourceId],
    )
    expect(audit).toEqual([
      { source_id: second.sourceId, action: 'connect' },
      { source_id: source.sourceId, action: 'disable' },
    ])
  })

  it('has one active source, whoever replaces it at the same moment', async () => {
    const { portalId } = await scene.connect(outbox)
    const replace = () =>
      outbox.sources.connect({ portalId, writeKey: random(16), insist: true, replace: true })
    const results = await Promise.allSettled([replace(), replace(), replace(), replace()])
    expect(results.some((result) => result.status === 'fulfilled')).toBe(true)
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ problem: 'connected-already' })
    }
    const active = `SELECT FROM segment_source WHERE portal_id = $1 AND status <> 'disabled'`
    expect(await scene.rows(active, [portalId])).toHaveLength(1)
  })

  it('says so when there is no such source', async () => {
    await expect(outbox.sources.pause('00000000-0000-4000-8000-000000000000')).rejects.toThrow(
      /There is no source/,
    )
  })
})

describe('a write key', () => {
  it('is nowhere in the clear: not in rows, results, errors, events or logs', async () => {
    const logged: unknown[] = []
    const log = (fields: object, message: string) => void logged.push(fields, message)
    const own = scene.outbox({ logger: { debug: log, info: log, warn: log, error: log } })
    const { portalId, writeKey, source } = await scene.connect(own)
    // An answer that echoes the request's credentials, as a proxy's error page may.
    const basic = Buffer.from(`${writeKey}:`).toString('base64')
    scene.segment.fault(
      { kind: 'status', status: 403, body: `bad key ${writeKey} in ${basic}` },
      { times: 1 },
    )
    await scene.dataSource.transaction((tx) =>
      own.track(tx, 'Began Test', { portalId, userId: 'u', properties: beganTest() }),
    )
    await own.drain()
    const rows = await Promise.all(
      ['segment_source', 'source_delivery', 'outbox_message', 'outbox_batch', 'outbox_inspection'].map(
        (table) => scene.rows(`SELECT t::text AS row FROM ${table} t`),
      ),
    )
    const everything = inspect([rows, source, logged, own, outbox.sources], { depth: 12, showHidden: true })
    expect(everything).toContain('refused-source')
    expect(everything).not.toContain(writeKey)
    expect(everything).not.toContain(basic)
    expect(everything).not.toContain(Buffer.from(writeKey).toString('hex'))
  })

  it('decrypts only for its own source, with the secret key it was saved with', () => {
    const key = (fill: number) => Buffer.alloc(32, fill).toString('base64')
    const old = new WriteKeyCipher(`old:${key(1)}`)
    const encrypted = old.encrypt('source-1', 'a-write-key')
    const rotated = new WriteKeyCipher(`new:${key(2)},old:${key(1)}`)
    expect(rotated.decrypt('source-1', encrypted)).toBe('a-write-key')
    expect(rotated.encrypt('source-1', 'a-write-key').secretId).toBe('new')
    expect(() => rotated.decrypt('source-2', encrypted)).toThrow('does not decrypt')
    expect(() => new WriteKeyCipher(`new:${key(2)}`).decrypt('source-1', encrypted)).toThrow(
      'not among the secret keys',
    )
    const forged = Buffer.from(encrypted.ciphertext)
    forged.writeUInt8(forged.readUInt8(14) ^ 1, 14)
    expect(() => rotated.decrypt('source-1', { ...encrypted, ciphertext: forged })).toThrow(
      'does not decrypt',
    )
    expect(old.encrypt('source-1', 'a-write-key').ciphertext).not.toEqual(encrypted.ciphertext)
  })

  it('that does not decrypt makes its source rest, and keeps its messages', async () => {
    const { portalId, writeKey, source } = await scene.connect(outbox)
    await scene.dataSource.transaction((tx) =>
      outbox.track(tx, 'Began Test', { portalId, userId: 'u', properties: beganTest() }),
    )
    const stranger = scene.outbox({ secretKeys: `k2:${Buffer.alloc(32, 9).toString('base64')}` })
    await stranger.drain()
    const [delivery] = await scene.rows<{ last_error: string; failures: number }>(
      'SELECT last_error, failures FROM source_delivery WHERE source_id = $1',
      [source.sourceId],
    )
    expect(delivery).toMatchObject({ last_error: expect.stringContaining('"k1"') })
    await outbox.sources.resume(source.sourceId)
    await outbox.drain()
    expect(scene.segment.accepted({ writeKey })).toHaveLength(1)
  })
})
