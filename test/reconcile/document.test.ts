import { blocksOf, createReaderProject, filesOf, READER_KEYS } from '../docs/reader-project'
import { createWarehouseScene, type WarehouseScene } from './warehouse-scene'

const blocks = blocksOf('docs/reconcile.md')
const codeOf = (language: string) =>
  blocks.filter((block) => block.language === language).map(({ code }) => code)

let world: WarehouseScene

beforeAll(async () => {
  world = await createWarehouseScene()
})
afterAll(() => world.end())

it('docs/reconcile.md has SQL, code and commands that do what it says', async () => {
  const { segment, scene } = world
  const outbox = world.outbox({ secretKeys: READER_KEYS })
  const writeKey = 'your-segment-write-key'
  segment.addWriteKey(writeKey, { source: 'meridian_production' })
  const source = await outbox.sources.connect({ portalId: 'meridian', writeKey })
  const portal = { portalId: 'meridian', writeKey, source }
  await world.send(outbox, portal, ['a', 'b'])
  await segment.loadWarehouse()

  const [grants = '', unconfirmed = ''] = codeOf('sql')
  await world.warehouseRows(grants)
  const reader = new URL(world.warehouse.url)
  reader.username = 'outbox_reader'
  reader.password = 'change-me'
  process.env.WAREHOUSE_URL = reader.href
  const project = createReaderProject({ ...scene, segment })
  try {
    // What arrived was told; then the key is revoked, and three hours go by.
    segment.removeWriteKey(writeKey)
    await world.send(outbox, portal, ['c'])
    await world.rows(
      `UPDATE outbox_batch SET created_at = created_at - interval '3 hours', settled_at = settled_at - interval '3 hours',
              first_ambiguous_at = first_ambiguous_at - interval '3 hours'`,
    )
    segment.addWriteKey(writeKey, { source: 'meridian_production' })

    const readme = filesOf(blocksOf('README.md'))
    const commands = codeOf('sh').flatMap((code) => code.trim().split('\n'))
    expect(commands).toHaveLength(6)
    const run = `
      import { spawnSync } from 'node:child_process'
      import './canary'
      import { compare } from './compare'
      import { dataSource } from './data-source'
      const cli = process.execPath + ' node_modules/synap-outbox/dist/src/cli/main.js'
      const commands: string[] = ${JSON.stringify(commands)}
      const runs = commands.map((line) => spawnSync(line.replace('npx synap-outbox', cli), { shell: true, encoding: 'utf8' }))
      void dataSource.initialize().then(compare).then(async (told) => {
        await dataSource.destroy()
        console.log(JSON.stringify({ codes: runs.map(({ status }) => status), last: runs.at(-1)?.stdout, told }))
      })`
    const files = { ...readme, ...filesOf(blocks), 'run.ts': run }
    const said = JSON.parse(await project.compileAndRun(files, 'run.js'))
    expect(said.codes).toEqual([0, 0, 3, 3, 3, 3])
    expect(said.last).toContain('1 message is pending again.')
    expect(said.told).toEqual([]) // it waits to be sent again

    await world.rows(
      `UPDATE outbox_batch SET settled_at = settled_at - interval '48 hours' WHERE outcome IS NOT NULL`,
    )
    expect(await world.rows(unconfirmed)).toEqual([expect.objectContaining({ messages: 1 })])
  } finally {
    project.remove()
    delete process.env.WAREHOUSE_URL
    await world.warehouseRows('DROP OWNED BY outbox_reader')
    await world.warehouseRows('DROP ROLE outbox_reader')
  }
})
