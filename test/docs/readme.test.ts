import fs from 'node:fs'
import path from 'node:path'
import { synapPlan } from 'synap-outbox'
import { help } from '../../src/portal/settings'
import { commandLine } from '../cli/support/cli'
import { createScene, type Scene } from '../support/scene'
import {
  blocksOf as blocksIn,
  createReaderProject,
  filesOf,
  READER_KEYS,
  type ReaderProject,
} from './reader-project'

const root = path.resolve(__dirname, '../..')
const readme = fs.readFileSync(path.join(root, 'README.md'), 'utf8')
const blocks = blocksIn('README.md')
const blocksOf = (language: string) =>
  blocks.filter((block) => block.language === language).map(({ code }) => code)

let scene: Scene
let reader: ReaderProject

beforeAll(async () => {
  scene = await createScene()
  reader = createReaderProject(scene)
})
afterAll(async () => {
  await scene.end()
  reader.remove()
})

describe('the README', () => {
  it('has five steps whose code compiles, runs and delivers', async () => {
    await scene.rows('CREATE TABLE attempt (id text PRIMARY KEY, submitted_at timestamptz)')
    await scene.rows(`INSERT INTO attempt VALUES ('attempt-1', NULL)`)
    scene.segment.addWriteKey('your-segment-write-key')
    const files = filesOf(blocks)
    expect(Object.keys(files)).toEqual([
      'data-source.ts',
      'outbox.ts',
      'submit-test.ts',
      'main.ts',
      'mend.ts',
    ])
    // Every block is the opening or a file: none goes without being run.
    expect(blocksOf('ts')).toHaveLength(Object.keys(files).length + 1)
    files['run.ts'] = `import { main } from './main'\nvoid main()`
    await reader.compileAndRun(files, 'run.js')
    const [submitted] = await scene.rows<{ at: Date | null }>('SELECT submitted_at AS at FROM attempt')
    expect(submitted?.at).toBeInstanceOf(Date)
    // stop() leaves what waits to the next start; whichever it was, the event is there once.
    await scene.outbox({ secretKeys: READER_KEYS }).drain()
    expect(scene.segment.accepted({ event: 'Submitted Test' })).toHaveLength(1)

    files['run-mend.ts'] = `
      import { dataSource } from './data-source'
      import { mend } from './mend'
      void dataSource.initialize().then(mend).then(() => dataSource.destroy())`
    await reader.compileAndRun(files, 'run-mend.js')
  })

  it('opens with code that compiles and runs', async () => {
    const { portalId } = await scene.connect(scene.outbox())
    const [hero = ''] = blocksOf('ts')
    const code = `
      import { createOutbox } from 'synap-outbox'
      import { createDataSource } from ${JSON.stringify(path.join(root, 'dist/ormconfig'))}
      import { TestAttempt } from ${JSON.stringify(path.join(root, 'dist/entities/portal'))}
      async function opening() {
        const dataSource = await createDataSource({ url: process.env.DATABASE_URL }).initialize()
        const outbox = createOutbox({ dataSource, secretKeys: process.env.OUTBOX_SECRET_KEYS })
        const testId = crypto.randomUUID()
        const submittedAt = new Date()
        const attempt = { id: crypto.randomUUID(), portalId: ${JSON.stringify(portalId)}, userId: 'u' }
        ${hero}
        await dataSource.destroy()
      }
      void opening()`
    await reader.compileAndRun({ 'opening.ts': code }, 'opening.js')
    expect(
      await scene.rows(`SELECT FROM outbox_message WHERE event = 'Submitted Test' AND portal_id = $1`, [
        portalId,
      ]),
    ).toHaveLength(1)
  })

  it('asks the view questions that it answers', async () => {
    for (const sql of blocksOf('sql')) await scene.rows(sql)
    expect(blocksOf('sql')).toHaveLength(1)
  })

  it('lists the events of the plan, with its own words and keys', () => {
    const table = Object.entries(synapPlan.events).map(([name, { properties, key, detailed }]) => {
      const fields = key.toString().match(/(?<=p\.)\w+/g) ?? []
      return `| ${name}${detailed ? ' (detailed)' : ''} | ${properties.description} | ${fields.join(', ')} |`
    })
    expect(readme).toContain(table.join('\n'))
  })

  it('prints the help of npm start', () => {
    expect(blocksOf('text')).toEqual([`${help}\n`])
  })

  describe('names commands', () => {
    const commands = blocksOf('sh').flatMap((code) =>
      code
        .split('\n')
        .map((line) => line.replace(/\s+#.*$/, '').trim())
        .filter(Boolean),
    )
    const ours = commands.filter((command) => command.startsWith('npx synap-outbox '))

    it('that CI or a test runs', () => {
      const ran =
        fs.readFileSync(path.join(root, '.ci/run'), 'utf8') +
        fs.readFileSync(path.join(root, 'test/portal/start.test.ts'), 'utf8')
      for (const command of commands) if (!ours.includes(command)) expect(ran).toContain(command)
    })

    it.each(ours)('%s', async (command) => {
      await scene.rows(
        `INSERT INTO outbox_message (message_id, source_id, portal_id, type, user_id, occurred_at, wire_bytes, body)
         VALUES (overlay(gen_random_uuid()::text PLACING '0f1e2d3c' FROM 1)::uuid, gen_random_uuid(), 'meridian',
                 'identify', 'user-1', now(), 1, '{}')
         ON CONFLICT DO NOTHING`,
      )
      const { code, stderr } = await commandLine(scene)(...command.split(' ').slice(2))
      expect([0, 3]).toContain(code)
      expect(stderr).toBe('')
      await scene.rows(`DELETE FROM outbox_message WHERE message_id::text LIKE '0f1e2d3c%'`)
    })
  })
})
