import { execFile } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { synapPlan } from 'synap-outbox'
import { help } from '../../src/portal/settings'
import { createScene, type Scene } from '../support/scene'

const root = path.resolve(__dirname, '../..')
const readme = fs.readFileSync(path.join(root, 'README.md'), 'utf8')
const blocks = [...readme.matchAll(/```(\w+)\n(.*?)```/gs)].map(([, language, code]) => ({
  language,
  code: code ?? '',
}))
const blocksOf = (language: string) =>
  blocks.filter((block) => block.language === language).map(({ code }) => code)

let scene: Scene
let folder: string

beforeAll(async () => {
  scene = await createScene()
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'synap-outbox-readme-'))
  fs.mkdirSync(path.join(folder, 'node_modules'))
  for (const name of fs.readdirSync(path.join(root, 'node_modules'))) {
    if (!name.startsWith('.'))
      fs.symlinkSync(path.join(root, 'node_modules', name), path.join(folder, 'node_modules', name))
  }
  fs.symlinkSync(root, path.join(folder, 'node_modules/synap-outbox'))
})
afterAll(async () => {
  await scene.end()
  fs.rmSync(folder, { recursive: true })
})

/** Compiles the files with tsc, strictly, as a reader's project would, and runs one of them. */
async function compileAndRun(files: Record<string, string>, entry: string): Promise<void> {
  const run = promisify(execFile)
  for (const [name, code] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), code)
  const options = [
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--skipLibCheck',
    '--types',
    'node',
  ]
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc')
  await run(process.execPath, [tsc, ...options, ...Object.keys(files)], { cwd: folder }).catch((error) => {
    throw new Error(error.stdout)
  })
  const env = {
    ...process.env,
    DATABASE_URL: scene.database.url,
    SEGMENT_HOST: scene.segment.url,
    OUTBOX_SECRET_KEYS: `k1:${Buffer.alloc(32, 1).toString('base64')}`,
  }
  await run(process.execPath, [entry], { cwd: folder, env })
}

describe('the README', () => {
  it('has five steps whose code compiles, runs and delivers', async () => {
    await scene.rows('CREATE TABLE attempt (id text PRIMARY KEY, submitted_at timestamptz)')
    await scene.rows(`INSERT INTO attempt VALUES ('attempt-1', NULL)`)
    scene.segment.addWriteKey('your-segment-write-key')
    const files = Object.fromEntries(
      blocksOf('ts').flatMap((code) => {
        const name = /^\/\/ (\S+\.ts)\n/.exec(code)?.[1]
        return name ? [[name, code]] : []
      }),
    )
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
    await compileAndRun(files, 'run.js')
    const [submitted] = await scene.rows<{ at: Date | null }>('SELECT submitted_at AS at FROM attempt')
    expect(submitted?.at).toBeInstanceOf(Date)
    // stop() leaves what waits to the next start; whichever it was, the event is there once.
    await scene.outbox({ secretKeys: `k1:${Buffer.alloc(32, 1).toString('base64')}` }).drain()
    expect(scene.segment.accepted({ event: 'Submitted Test' })).toHaveLength(1)

    files['run-mend.ts'] = `
      import { dataSource } from './data-source'
      import { mend } from './mend'
      void dataSource.initialize().then(mend).then(() => dataSource.destroy())`
    await compileAndRun(files, 'run-mend.js')
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
    await compileAndRun({ 'opening.ts': code }, 'opening.js')
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

  it('names commands that CI or a test runs', () => {
    const commands = blocksOf('sh').flatMap((code) =>
      code
        .split('\n')
        .map((line) => line.replace(/\s+#.*$/, '').trim())
        .filter(Boolean),
    )
    const ran =
      fs.readFileSync(path.join(root, '.ci/run'), 'utf8') +
      fs.readFileSync(path.join(root, 'test/portal/start.test.ts'), 'utf8')
    for (const command of commands) expect(ran).toContain(command)
  })
})
