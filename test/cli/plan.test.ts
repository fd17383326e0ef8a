import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { planJsonSchema, planMarkdown, segmentTrackingPlan, synapPlan } from 'synap-outbox'
import { run } from '../package/run'
import { MAIN } from './support/cli'

const repository = path.resolve(__dirname, '../..')
let folder: string

beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'synap-outbox-plan-'))
  for (const [name, properties, version] of [
    ['first', '{ a: z.string(), b: z.number().optional() }', ''],
    ['wider', '{ a: z.string(), b: z.number().optional(), c: z.boolean().optional() }', ''],
    ['narrower', '{ a: z.string() }', ''],
    ['second', '{ a: z.string() }', 'version: 2,'],
  ]) {
    file(
      `${name}.js`,
      `const { definePlan } = require(${JSON.stringify(path.resolve(MAIN, '../../index.js'))})
       const { z } = require(${JSON.stringify(require.resolve('zod'))})
       const properties = z.strictObject(${properties})
       exports.plan = definePlan({ 'Sat Exam': { properties, ${version} key: (p) => p.a } })
       exports.nothing = {}`,
    )
  }
})
afterAll(() => fs.rmSync(folder, { recursive: true }))

function file(name: string, content: string): void {
  fs.writeFileSync(path.join(folder, name), content)
}
const plan = (...args: string[]) => run(process.execPath, [MAIN, 'plan', ...args], { cwd: folder })
const read = (name: string) => fs.readFileSync(path.join(folder, name), 'utf8')
const plain = (value: unknown) => JSON.parse(JSON.stringify(value))

it('prints Synap’s plan in each format', async () => {
  expect(await plan()).toEqual({ code: 0, stdout: `${planMarkdown(synapPlan)}\n`, stderr: '' })
  const segment = await plan('--format', 'segment')
  expect(JSON.parse(segment.stdout)).toEqual(plain(segmentTrackingPlan(synapPlan)))
  const schema = await plan('--format', 'json-schema')
  expect(JSON.parse(schema.stdout)).toEqual(plain(planJsonSchema(synapPlan)))
})

it('finds the repository’s own export as the plan has it: exit 0', async () => {
  const { code, stdout } = await plan('--check', path.join(repository, 'docs/tracking-plan.json'))
  expect([code, stdout]).toEqual([0, ''])
})

it('tells a drift from an export: exit 3', async () => {
  file('kept.json', (await plan('--plan', './first.js', '--format', 'json-schema')).stdout)
  expect(await plan('--plan', './first.js#plan', '--check', 'kept.json')).toMatchObject({ code: 0 })
  expect(await plan('--plan', './wider.js', '--check', 'kept.json')).toEqual({
    code: 3,
    stdout: 'Sat Exam: compatible\n    properties.c is new\n',
    stderr:
      'Nothing breaks without a new version. Write the file again: synap-outbox plan --write kept.json\n',
  })
  expect(await plan('--plan', './narrower.js', '--check', 'kept.json')).toEqual({
    code: 3,
    stdout: 'Sat Exam: breaking, without a new version\n  ! properties.b is gone\n',
    stderr: 'Give what breaks a new `version` in the plan, then write the file again with --write.\n',
  })
  const { code, stdout } = await plan('--plan', './second.js', '--check', 'kept.json')
  expect([code, stdout.split('\n')[0]]).toEqual([3, 'Sat Exam: breaking'])
})

it('writes over an export, in its format, what does not break it unsaid', async () => {
  const format = 'segment'
  file('kept.json', (await plan('--plan', './first.js', '--format', format)).stdout)
  const before = read('kept.json')
  const refused = await plan('--plan', './narrower.js', '--write', 'kept.json')
  expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining('kept.json is left as it is') })
  expect(read('kept.json')).toBe(before)
  for (const version of ['./wider.js', './second.js']) {
    expect(await plan('--plan', version, '--write', 'kept.json')).toMatchObject({ code: 0 })
    expect(read('kept.json')).toBe((await plan('--plan', version, '--format', format)).stdout)
    expect(await plan('--plan', version, '--check', 'kept.json')).toMatchObject({ code: 0 })
  }
})

it('writes a new file by its name', async () => {
  await plan('--plan', './first.js', '--write', 'new.json')
  expect(JSON.parse(read('new.json')).anyOf).toHaveLength(1)
  await plan('--plan', './first.js', '--write', 'new.md')
  expect(read('new.md')).toMatch(/^\| Event \|/)
})

it.each<[string, string[], RegExp]>([
  ['a file that is not there', ['--check', 'none.json'], /none\.json cannot be read/],
  ['a file that is no JSON', ['--check', 'first.js'], /first\.js cannot be read as JSON/],
  ['a module that is not there', ['--plan', './none.js'], /none\.js cannot be loaded/],
  ['an export that is not there', ['--plan', './first.js#other'], /exports no "other".* plan, nothing/],
  ['an export that is no plan', ['--plan', './first.js#nothing'], /is no plan/],
  ['an unknown format', ['--format', 'yaml'], /markdown, segment, json-schema/],
])('refuses %s: exit 2', async (_, args, message) => {
  expect(await plan(...args)).toMatchObject({ code: 2, stderr: expect.stringMatching(message) })
})
