import type { Outbox } from 'synap-outbox'
import { commandLine, parsed } from '../cli/support/cli'
import { createWarehouseScene, type WarehousePortal, type WarehouseScene } from './warehouse-scene'

let world: WarehouseScene
let outbox: Outbox
let portal: WarehousePortal
let cli: ReturnType<typeof commandLine>

beforeAll(async () => {
  world = await createWarehouseScene()
  outbox = world.outbox()
  portal = await world.connect(outbox, { warehouse: false })
  cli = commandLine(world.scene, { WAREHOUSE_URL: world.readerUrl })
  await world.send(outbox, portal, ['a', 'b'])
  await world.segment.loadWarehouse()
  world.segment.removeWriteKey(portal.writeKey)
  await world.send(outbox, portal, ['c'])
})
afterAll(() => world.end())

describe('warehouses', () => {
  it('are saved from the environment, listed without their address, and forgotten', async () => {
    expect(await cli('warehouses')).toEqual({ code: 0, stdout: '', stderr: 'No warehouse is known.\n' })
    const saving = ['warehouses', 'connect', portal.portalId, '--warehouse-schema', portal.schema]
    expect(await commandLine(world.scene)(...saving)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('WAREHOUSE_URL is not set'),
    })
    const saved = await cli(...saving, '--lag-hours', '0.1', '--canary-minutes', '60', '--json')
    expect(saved).toMatchObject({ code: 0, stderr: '' })
    expect(parsed(saved)).toMatchObject({
      warehouse: { portalId: portal.portalId, lagHours: 0.1, canaryMinutes: 60 },
    })
    const listed = await cli('warehouses')
    expect(listed).toMatchObject({ code: 0, stdout: expect.stringMatching(/every 60 min/) })
    for (const { stdout, stderr } of [saved, listed]) expect(stdout + stderr).not.toMatch(/secret|postgres/)
    expect(await cli('warehouses', 'disconnect', portal.portalId)).toMatchObject({
      code: 0,
      stdout: 'It is forgotten.\n',
    })
    expect(await cli('warehouses', 'disconnect', portal.portalId)).toMatchObject({
      stdout: 'No warehouse was known.\n',
    })
  })
})

describe('reconcile', () => {
  const once = () => [
    'reconcile',
    '--portal',
    portal.portalId,
    '--warehouse-schema',
    portal.schema,
    '--lag-hours',
    '0',
  ]

  it('tells what is missing and why, and ends with 3', async () => {
    const { code, stdout, stderr } = await cli(...once(), '--days')
    expect({ code, stderr }).toEqual({ code: 3, stderr: '' })
    expect(stdout).toContain('(key-or-region)')
    expect(stdout).toMatch(/Next: Check the write key/)
    expect(stdout).toMatch(/Began Test +2 +1/)
  })

  it('has one document for scripts', async () => {
    const { sources } = parsed<{ sources: object[] }>(await cli(...once(), '--json'))
    expect(sources).toEqual([
      expect.objectContaining({ portalId: portal.portalId, confirmed: 2, missing: 1, error: null }),
    ])
  })

  it('says what is wrong with a warehouse, without its password', async () => {
    const away = new URL(world.readerUrl)
    away.port = '1'
    const { code, stdout, stderr } = await commandLine(world.scene, { WAREHOUSE_URL: away.href })(...once())
    expect(code).toBe(3)
    expect(stdout).toContain('nothing listens there')
    expect(stdout + stderr).not.toContain('secret')
  })

  it.each<[string, string[], RegExp]>([
    ['a schema without its portal', ['reconcile', '--warehouse-schema', 's'], /without --portal/],
    ['a lag that is none', ['reconcile', '--lag-hours', 'soon'], /number from 0 to 720/],
    ['sending again with nobody to agree', ['reconcile', '--send-again', '--reason', 'r'], /Pass --yes/],
  ])('refuses %s', async (_, args, message) => {
    expect(await cli(...args)).toMatchObject({ code: 2, stderr: expect.stringMatching(message) })
  })

  it('sends again what is missing once it is agreed to', async () => {
    world.segment.addWriteKey(portal.writeKey, { source: portal.portalId })
    const again = [...once(), '--send-again', '--reason', 'INC-42', '--actor', 'olga']
    expect((await cli(...again, '--dry-run')).code).toBe(3)
    expect(await world.rows(`SELECT FROM outbox_message WHERE status = 'pending'`)).toHaveLength(0)
    expect(await cli(...again, '--yes')).toMatchObject({
      stdout: expect.stringContaining('1 message is pending again.'),
    })
    await outbox.drain()
    await world.segment.loadWarehouse()
    expect(await cli(...once())).toMatchObject({ code: 0, stderr: '' })
    expect(await world.rows('SELECT actor, action FROM outbox_audit')).toEqual([
      { actor: 'olga', action: 'send again' },
    ])
  })
})
