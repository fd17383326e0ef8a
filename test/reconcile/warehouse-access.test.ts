import net from 'node:net'
import { inspect } from 'node:util'
import { OperationError, type Outbox, SecretKeyError, WarehouseError } from 'synap-outbox'
import { compare, createWarehouseScene, type WarehousePortal, type WarehouseScene } from './warehouse-scene'

let world: WarehouseScene
let outbox: Outbox
let portal: WarehousePortal

beforeAll(async () => {
  world = await createWarehouseScene()
  outbox = world.outbox()
  portal = await world.connect(outbox)
  await world.send(outbox, portal, ['a', 'b'])
  await world.segment.loadWarehouse()
  await world.warehouseRows('CREATE SCHEMA closed')
  await world.warehouseRows('CREATE TABLE closed.tracks (id text PRIMARY KEY)')
  await world.warehouseRows(`REVOKE ALL ON SCHEMA closed FROM ${new URL(world.readerUrl).username}`)
})
afterAll(() => world.end())

const portalId = () => portal.portalId
const sourceId = () => portal.source.sourceId
const confirmed = async () =>
  (await world.rows(`SELECT FROM outbox_batch WHERE confirmed_at IS NOT NULL`)).length
/** The same warehouse with something wrong in its address. */
const address = (change: (url: URL) => void) => {
  const url = new URL(world.readerUrl)
  change(url)
  return url.href
}

describe('the warehouse’s address', () => {
  it('is stored encrypted, bound to its source, and shown nowhere', async () => {
    const [row] = await world.rows<{ bytes: Buffer }>(
      'SELECT url_ciphertext AS bytes, segment_warehouse.* FROM segment_warehouse',
    )
    expect(row?.bytes.includes('postgres')).toBe(false)
    expect(inspect(row)).not.toContain(world.readerPassword)
    expect(inspect(await outbox.warehouses.list(), { depth: 9 })).not.toMatch(/postgres|ciphertext/)

    // A ciphertext in another row, or in another column of its own source, is worth nothing.
    const other = await world.connect(outbox)
    const { sourceId: otherId } = other.source
    await world.rows(
      `UPDATE segment_source s SET write_key_ciphertext = w.url_ciphertext FROM segment_warehouse w
       WHERE w.source_id = s.source_id AND s.source_id = $1`,
      [otherId],
    )
    await world.rows('UPDATE segment_warehouse SET url_ciphertext = $2 WHERE source_id = $1', [
      otherId,
      row?.bytes,
    ])
    await expect(compare(outbox, other)).rejects.toThrow(SecretKeyError)
    await world.send(outbox, other, ['x'])
    const [{ error } = { error: '' }] = await world.rows<{ error: string }>(
      'SELECT last_error AS error FROM source_delivery WHERE source_id = $1',
      [otherId],
    )
    expect(error).toContain('does not decrypt')
    expect(await outbox.warehouses.disconnect(otherId)).toBe(true)
    expect(await outbox.warehouses.disconnect(otherId)).toBe(false)
  })

  it.each<[string, () => { url?: string; schema?: string }, RegExp]>([
    ['is no address', () => ({ url: `not one: ${world.readerPassword}` }), /cannot be read/],
    [
      'is another protocol’s',
      () => ({ url: `mysql://u:${encodeURIComponent(world.readerPassword)}@h/d` }),
      /cannot be read/,
    ],
    ['has a bad escape', () => ({ url: 'postgres://u:%zz@h/d' }), /cannot be read/],
    ['has no schema', () => ({ schema: '' }), /schema is empty/],
    [
      'has a port where nothing listens',
      () => ({ url: address((url) => (url.port = '1')) }),
      /nothing listens there/,
    ],
    [
      'has an unknown database',
      () => ({ url: address((url) => (url.pathname = '/nope')) }),
      /no such database/,
    ],
    [
      'is of a schema that its role may not read',
      () => ({ schema: 'closed' }),
      /may not read the source’s schema/,
    ],
  ])('is refused where it %s, without being repeated', async (_, wrong, message) => {
    const target = { url: world.readerUrl, schema: portal.schema, ...wrong() }
    const saving = outbox.warehouses.connect({ sourceId: sourceId(), ...target })
    await expect(saving).rejects.toThrow(WarehouseError)
    await expect(saving).rejects.toThrow(message)
    const error = await saving.catch((thrown) => thrown)
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(world.readerPassword)
    expect(inspect(error, { depth: 9 })).not.toContain(encodeURIComponent(world.readerPassword))
    // What was saved before is still there.
    expect(await outbox.warehouses.list({ portalId: portalId() })).toHaveLength(1)
  })

  it('needs a source that exists, and bounds that make sense', async () => {
    const target = { url: world.readerUrl, schema: portal.schema }
    const nobody = '00000000-0000-4000-8000-000000000000'
    await expect(outbox.warehouses.connect({ sourceId: nobody, ...target })).rejects.toThrow(OperationError)
    const wrong = { sourceId: sourceId(), ...target, lagHours: -1 }
    await expect(outbox.warehouses.connect(wrong)).rejects.toThrow(/lagHours is not valid/)
  })

  it('is encrypted again with a new secret key, which the old one can be taken away for', async () => {
    const other = await world.connect(outbox)
    await world.send(outbox, other, ['a'])
    await world.segment.loadWarehouse()
    await world.rows(`UPDATE segment_warehouse SET url_secret_id = 'lost' WHERE source_id = $1`, [sourceId()])
    const [old, next] = [7, 8].map((byte, i) => `k${i + 1}:${Buffer.alloc(32, byte).toString('base64')}`)
    const rotating = world.outbox({ secretKeys: `${next},${old}` })
    expect(await rotating.warehouses.rotateSecrets()).toMatchObject({
      rotated: 1,
      missing: [{ portalId: portalId() }],
    })
    expect(await rotating.warehouses.rotateSecrets()).toMatchObject({ rotated: 0 })
    expect(await compare(world.outbox({ secretKeys: next }), other)).toMatchObject({ confirmed: 1 })
    await expect(compare(outbox, other)).rejects.toThrow(SecretKeyError)
    await rotating.warehouses.disconnect(other.source.sourceId)
    await world.rows(`UPDATE segment_warehouse SET url_secret_id = 'k1' WHERE source_id = $1`, [sourceId()])
  })

  it('may be given for one comparison, and is not stored then', async () => {
    const other = await world.connect(outbox, { warehouse: false })
    await world.send(outbox, other, ['a'])
    await world.segment.loadWarehouse()
    const warehouse = { url: world.readerUrl, schema: other.schema }
    const report = await outbox.reconcile({ sourceId: other.source.sourceId, warehouse, lagHours: 0 })
    expect(report).toMatchObject({ agrees: true, sources: [{ confirmed: 1 }] })
    expect(await outbox.warehouses.list({ sourceId: other.source.sourceId })).toEqual([])
  })
})

describe('looking into the warehouse', () => {
  it('is enough with SELECT, and never writes', async () => {
    const role = new URL(world.readerUrl).username
    const writes = world.warehouseRows(
      `SET ROLE ${role}; INSERT INTO ${portal.schema}.tracks (id) VALUES ('x')`,
    )
    await expect(writes).rejects.toThrow(/permission denied/)
    await world.warehouseRows('RESET ROLE')
    expect(await compare(outbox, portal)).toMatchObject({ missing: 0 })

    // Even as the owner: a table that writes when it is read cannot.
    const { schema } = portal
    await world.warehouseRows(`CREATE TABLE ${schema}.touched (id text)`)
    await world.warehouseRows(
      `CREATE FUNCTION ${schema}.touch() RETURNS text LANGUAGE sql VOLATILE AS $$ INSERT INTO ${schema}.touched VALUES ('x') RETURNING id $$`,
    )
    await world.warehouseRows(`CREATE SCHEMA trap`)
    await world.warehouseRows(
      `CREATE VIEW trap.tracks AS SELECT ${schema}.touch() AS id, now() AS received_at, 'x'::text AS event_text`,
    )
    const trap = { url: world.warehouse.url, schema: 'trap' }
    const { sources } = await outbox.reconcile({ sourceId: sourceId(), warehouse: trap })
    expect(sources[0]?.error?.message).toMatch(/read-only transaction/)
    expect(await world.warehouseRows(`SELECT FROM ${schema}.touched`)).toEqual([])
  })

  it('says when the warehouse is down or slow, keeps what it confirmed, and goes on from there', async () => {
    const fresh = await world.connect(outbox)
    for (const attempt of ['a', 'b', 'c']) await world.send(outbox, fresh, [attempt])
    await world.segment.loadWarehouse()
    const before = await confirmed()

    const down = { url: address((url) => (url.port = '1')), schema: fresh.schema }
    const report = await outbox.reconcile({
      sourceId: fresh.source.sourceId,
      warehouse: down,
      sendAgain: 'all',
      by: { actor: 'a', reason: 'r' },
      lagHours: 0,
    })
    expect(report.agrees).toBe(false)
    expect(report.sources[0]).toMatchObject({ missing: 0, sentAgain: 0, error: expect.any(WarehouseError) })

    // A lock that somebody holds makes every statement wait.
    const holder = world.warehouse.dataSource.createQueryRunner()
    await holder.startTransaction()
    await holder.query(`LOCK TABLE ${fresh.schema}.tracks IN ACCESS EXCLUSIVE MODE`)
    await expect(compare(outbox, fresh, { timeoutMs: 100 })).rejects.toThrow(/took longer than it may/)
    await holder.rollbackTransaction()
    await holder.release()

    expect(await confirmed()).toBe(before)
    expect(await compare(outbox, fresh)).toMatchObject({ confirmed: 3, missing: 0 })
  })

  it('does not let one portal’s warehouse keep the others from being compared', async () => {
    const [broken, sound] = [await world.connect(outbox), await world.connect(outbox)]
    await world.send(outbox, sound, ['a'])
    await world.segment.loadWarehouse()
    await world.rows(`UPDATE segment_warehouse SET url_secret_id = 'lost' WHERE source_id = $1`, [
      broken.source.sourceId,
    ])
    const { sources, agrees } = await outbox.reconcile({ lagHours: 0 })
    const of = (one: WarehousePortal) => sources.find((source) => source.portalId === one.portalId)
    expect(agrees).toBe(false)
    expect(of(broken)?.error).toBeInstanceOf(SecretKeyError)
    expect(of(sound)).toMatchObject({ confirmed: 1 })
    expect(of(sound)).not.toHaveProperty('error')
    await outbox.warehouses.disconnect(broken.source.sourceId)
  })

  it('ends in time where nobody answers', async () => {
    const sockets = new Set<net.Socket>()
    const silent = net.createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1')
    await new Promise((resolve) => silent.once('listening', resolve))
    const { port } = silent.address() as net.AddressInfo
    const url = `postgres://u:${encodeURIComponent(world.readerPassword)}@127.0.0.1:${port}/d`
    const { sources } = await outbox.reconcile({
      sourceId: sourceId(),
      warehouse: { url, schema: 's' },
      timeoutMs: 200,
    })
    expect(sources[0]?.error?.message).toMatch(/no answer in time/)
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => silent.close(resolve))
  })

  it('stops between chunks when told to, and goes on from there the next time', async () => {
    const fresh = await world.connect(outbox)
    for (let i = 0; i < 25; i++) await world.send(outbox, fresh, [`attempt ${i}`])
    await world.segment.loadWarehouse()
    const stop = new AbortController()
    const seen: number[] = []
    const onProgress = (done: number) => {
      seen.push(done)
      stop.abort()
    }
    await expect(compare(outbox, fresh, { signal: stop.signal, onProgress })).rejects.toThrow('was stopped')
    expect(seen).toEqual([20])
    const left = await world.rows('SELECT FROM outbox_batch WHERE source_id = $1 AND confirmed_at IS NULL', [
      fresh.source.sourceId,
    ])
    expect(left).toHaveLength(5)
    expect(await compare(outbox, fresh)).toMatchObject({ confirmed: 25, missing: 0 })
  })
})
