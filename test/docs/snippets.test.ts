import { createScene, type Scene } from '../support/scene'
import { blocksOf, createReaderProject, filesOf, type ReaderProject } from './reader-project'

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

const readme = () => filesOf(blocksOf('README.md'))
/** The code of a document: every block of it is a file, so that none goes without being run. */
const codeOf = (document: string) => {
  const blocks = blocksOf(document).filter(({ language }) => language === 'ts')
  const files = filesOf(blocks)
  expect(Object.keys(files)).toHaveLength(blocks.length)
  return files
}

it('docs/telemetry.md has code that compiles, and tells what it says', async () => {
  scene.segment.addWriteKey('your-segment-write-key')
  await scene.rows('CREATE TABLE attempt (id text PRIMARY KEY, submitted_at timestamptz)')
  const run = `
    import { once } from 'node:events'
    import { seen } from './events'
    import { server } from './health'
    import { main } from './main'
    async function run() {
      await once(server.listen(0, '127.0.0.1'), 'listening')
      const { port } = server.address() as { port: number }
      const ask = async () => {
        const answer = await fetch('http://127.0.0.1:' + port)
        return [answer.status, await answer.json()]
      }
      const before = await ask()
      await main()
      console.log(JSON.stringify({ before, after: await ask(), recorded: seen[0] }))
      server.close()
      server.closeAllConnections()
    }
    void run()`
  const said = await reader.compileAndRun(
    { ...readme(), ...codeOf('docs/telemetry.md'), 'run.ts': run },
    'run.js',
  )
  expect(JSON.parse(said)).toEqual({
    before: [503, { status: 'unavailable', problems: [expect.any(String)] }], // not yet connected
    after: [503, { status: 'unavailable', problems: [expect.any(String)] }], // no longer connected
    recorded: '1 recorded for meridian',
  })
})

it('docs/testing.md has tests that compile and pass', async () => {
  const { 'data-source.ts': dataSource = '' } = readme()
  const files = { 'data-source.ts': dataSource, ...codeOf('docs/testing.md') }
  const said = await reader.compileAndRun(files, 'submit-test.test.js')
  expect(said).toMatch(/pass 2\n.*fail 0\n/s)
})
