import { createScene, type Scene } from '../support/scene'
import { blocksOf, createReaderProject, filesOf, READER_KEYS, type ReaderProject } from './reader-project'

let scene: Scene
let reader: ReaderProject

beforeEach(async () => {
  scene = await createScene()
  reader = createReaderProject(scene)
})
afterEach(async () => {
  await scene.end()
  reader.remove()
})

const { 'data-source.ts': dataSource = '' } = filesOf(blocksOf('README.md'))
const plan = filesOf(blocksOf('docs/tracking-plan.md'))
const backfill = filesOf(blocksOf('docs/backfill.md'))
/** The command lines of a document, with the executable that the build has made. */
const commandsOf = (document: string) =>
  blocksOf(document)
    .filter(({ language }) => language === 'sh')
    .flatMap(({ code }) => code.trim().split('\n'))
/** A program that runs them one after the other, and throws where one does not end with 0. */
const running = (document: string) => `
  import { execSync } from 'node:child_process'
  import fs from 'node:fs'
  fs.mkdirSync('docs', { recursive: true })
  const cli = process.execPath + ' node_modules/synap-outbox/dist/src/cli/main.js'
  for (const line of ${JSON.stringify(commandsOf(document))}) {
    console.log(execSync(line.replace('npx synap-outbox', cli), { encoding: 'utf8' }))
  }`

it('docs/tracking-plan.md has a plan that compiles, and commands that run', async () => {
  expect(Object.keys(plan)).toEqual(['plan.ts'])
  const files = { ...plan, 'run.ts': running('docs/tracking-plan.md') }
  const said = await reader.compileAndRun(files, 'run.js')
  expect(said).toContain('| Submitted Test (version 2) |  | attemptId |')
})

it('docs/backfill.md has code and commands that record the history', async () => {
  expect(Object.keys(backfill)).toEqual(['backfills.ts', 'outbox.ts', 'run-backfill.ts'])
  await scene.rows(
    `CREATE TABLE attempt (id text, portal_id text, user_id text, submitted_at timestamptz, score int)`,
  )
  await scene.rows(`INSERT INTO attempt VALUES
    ('a1', 'meridian', 'ada', '2019-05-01', 7), ('a2', 'meridian', 'grace', '2025-05-01', 8),
    ('a3', 'quayside', 'joan', '2023-12-31', 9), ('a4', 'quayside', 'mary', '2024-01-01', 10)`)
  const outbox = scene.outbox({ secretKeys: READER_KEYS })
  const [meridian, quayside] = [
    await scene.connect(outbox, { portalId: 'meridian' }),
    await scene.connect(outbox, { portalId: 'quayside' }),
  ]
  const files = {
    'data-source.ts': dataSource,
    ...plan,
    ...backfill,
    'commands.ts': running('docs/backfill.md'),
  }
  const run = `
    import { run } from './run-backfill'
    void run('meridian', new AbortController().signal).then(() => import('./commands.js'))`

  const said = await reader.compileAndRun({ ...files, 'run.ts': run }, 'run.js')
  expect(said).toMatch(/done: 2 messages.*: 2 messages recorded.*: 1 message recorded/s)

  for (const sql of blocksOf('docs/backfill.md').filter(({ language }) => language === 'sql')) {
    const rows = await scene.rows(sql.code)
    expect(rows).toMatchObject([
      { portal_id: 'quayside', recorded: '1' },
      { portal_id: 'meridian', recorded: '2' },
    ])
  }
  await outbox.drain()
  const accepted = ({ writeKey }: { writeKey: string }) =>
    scene.segment.accepted({ writeKey }).map(({ message }) => [message.userId, message.timestamp])
  expect(accepted(meridian)).toEqual([
    ['ada', '2019-05-01T00:00:00.000Z'],
    ['grace', '2025-05-01T00:00:00.000Z'],
  ])
  expect(accepted(quayside)).toEqual([['mary', '2024-01-01T00:00:00.000Z']])
})
