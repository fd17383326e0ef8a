import fs from 'node:fs'
import path from 'node:path'
import { createStage, type Stage } from './support/stage'

const text = fs.readFileSync(path.resolve(__dirname, '../../docs/cli.md'), 'utf8')
const examples = [...text.matchAll(/```console\n\$ synap-outbox ([^\n]*)\n(.*?)```/gs)].map(
  ([, command = '', output = '']) => ({ command, output }),
)

let stage: Stage
/** The ids that the document uses, and those that they stand for here. */
let ids: [inDocument: string, here: string][]

beforeAll(async () => {
  stage = await createStage(['meridian', 'northwind'])
  await stage.record('northwind', 'user-1', 2)
  await stage.outbox.drain()
  const [dead = ''] = await stage.recordDead('meridian', 'user-2', 2)
  const [uncertain = ''] = await stage.recordUncertain('meridian', 'user-3', 1)
  await stage.record('northwind', 'user-4', 3)
  ids = [
    ['2f0c6f5e-6f0e-8b43-9f3c-6a5b1d0e7c21', dead],
    ['7be1a9d4-02c5-8d1f-a6e8-3c4f5b6a7d80', uncertain],
  ]
})
afterAll(() => stage.scene.end())

/** What differs from one run to the next: ids, moments, spans of time, key endings, and with them the spaces. */
function steady(output: string): string {
  return output
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'ID')
    .replace(/\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z)?/g, 'MOMENT')
    .replace(/^ +\d\d:\d\d:\d\d\.\d+ /gm, 'MOMENT ')
    .replace(/just now|(in )?\d+ (ms|s|min|h|d)( \d+ (ms|s|min|h))?( ago)?/g, 'SPAN')
    .replace(/ends in \w{4}/g, 'ends in KEY')
    .replace(/ {2,}/g, '  ')
    .trim()
}

/** The words of a command as the document's shell would have them. */
function words(command: string): string[] {
  const split = command.match(/'[^']*'|\S+/g) ?? []
  return split.map((word) => {
    const bare = word.replace(/^'|'$/g, '')
    return ids.reduce((so, [inDocument, here]) => so.replace(inDocument, here), bare)
  })
}

it('prints what docs/cli.md says, command after command', async () => {
  expect(examples.length).toBeGreaterThan(10)
  for (const { command, output } of examples) {
    const { stdout, stderr } = await stage.cli(...words(command))
    expect([command, steady(stdout + stderr)]).toEqual([command, steady(output)])
  }
}, 120_000)

it('has a section for every command', async () => {
  const { stdout } = await stage.cli('--help')
  const names = [...stdout.matchAll(/^ {2}([a-z]+)(?: <\w+>| \[\w+\])? {2,}[A-Z]/gm)].map(([, name]) => name)
  expect(names.length).toBeGreaterThan(12)
  for (const name of names) expect(text).toMatch(new RegExp(`^### .*\`${name}`, 'm'))
})
