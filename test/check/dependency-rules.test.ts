import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { projectBin, ROOT } from '../package/packed-consumer'
import { run } from '../package/run'

const CONFIG = '.dependency-cruiser.cjs'
const { forbidden } = require(path.join(ROOT, CONFIG)) as { forbidden: { name: string }[] }

type Files = Record<string, string>

/** What may be written: not one rule may mind any of it. */
const permitted: Files = {
  'src/index.ts': `export { send } from './segment/send'\nexport type { Row } from '../entities'`,
  'src/testing/index.ts': `export const startLocalSegment = () => 'started'`,
  'src/segment/send.ts': `import { Analytics } from '@segment/analytics-node'\nexport const send = () => new Analytics()`,
  'src/segment/client-layout.ts': `export const layOutEach = () => 'laid out'`,
  'src/segment/lay-out.ts': `import { layOutEach } from './client-layout'\nexport const layOut = layOutEach`,
  'src/segment/layout-thread-entry.ts': `import { layOut } from './lay-out'\nlayOut()`,
  'src/cli/main.ts': `import { Command } from 'commander'\nimport { startLocalSegment } from '../testing'\nnew Command(startLocalSegment())`,
  'entities/index.ts': `import { Entity } from 'typeorm'\n@Entity() export class Row { id!: string }`,
  'entities/portal/index.ts': `import { Entity } from 'typeorm'\n@Entity() export class User { id!: string }`,
  'migrations/index.ts': `import type { Row } from '../entities'\nexport const migrations: Row[] = []`,
  'src/portal/main.ts': `import { serve } from 'hono'
    import { send } from 'synap-outbox'
    import { startLocalSegment } from 'synap-outbox/testing'
    import { User } from '../../entities/portal'
    serve(send, startLocalSegment, User)`,
  'ormconfig.ts': `import { Row } from './entities'\nimport { User } from './entities/portal'\nexport default [Row, User]`,
}

/** The other half of a ring; it is reported once. */
const halfOfRing: Files = { 'src/ring-b.ts': `import type {} from './ring-a'\nexport const b = 1` }

/** For each rule, ways to break it: the one file planted, and what the rule has to say of it. */
const planted: [rule: string, how: string, file: string, text: string][] = [
  ['no-circular', 'a type import that closes a ring', 'src/ring-a.ts', `export { b } from './ring-b'`],
  ['everything-resolves', 'a file that is not there', 'src/planted-1.ts', `import './nowhere'`],
  [
    'everything-resolves',
    'a subpath that is not exported',
    'src/portal/planted-2.ts',
    `import 'synap-outbox/lease'`,
  ],
  [
    'only-segment-imports-the-client',
    'a value import',
    'src/dispatch/planted-3.ts',
    `import { Analytics } from '@segment/analytics-node'\nnew Analytics()`,
  ],
  [
    'only-segment-imports-the-client',
    'a type import',
    'entities/planted-4.ts',
    `import type { Analytics } from '@segment/analytics-node'\nexport type A = Analytics`,
  ],
  [
    'the-client-works-in-its-thread',
    'a value import of what calls it',
    'src/segment/planted-16.ts',
    `import { layOut } from './lay-out'\nlayOut()`,
  ],
  [
    'the-client-works-in-its-thread',
    'a value import of the client’s layout',
    'src/segment/planted-17.ts',
    `import { layOutEach } from './client-layout'\nlayOutEach()`,
  ],
  [
    'only-the-cli-imports-commander',
    'a require',
    'src/operate/planted-5.ts',
    `const { Command } = require('commander')\nnew Command()`,
  ],
  [
    'only-the-console-imports-a-web-framework',
    'a value import',
    'src/operate/planted-15.ts',
    `import { Hono } from 'hono'\nnew Hono()`,
  ],
  [
    'portal-uses-the-public-api-only',
    'an import of the inside',
    'src/portal/planted-6.ts',
    `import { send } from '../segment/send'\nsend()`,
  ],
  [
    'portal-uses-the-public-api-only',
    'a type import of the entities',
    'src/portal/planted-7.ts',
    `import type { Row } from '../../entities'\nexport type R = Row`,
  ],
  [
    'portal-uses-the-public-api-only',
    'a re-exported type',
    'entities/portal/planted-8.ts',
    `export type { Row } from '..'`,
  ],
  [
    'the-module-knows-no-portal',
    'a dynamic import',
    'src/planted-9.ts',
    `export const load = () => import('./portal/main')`,
  ],
  [
    'the-module-knows-no-portal',
    'an import of its entities',
    'entities/planted-10.ts',
    `import { User } from './portal'\nexport const users = [User]`,
  ],
  [
    'production-code-knows-no-tests',
    'an import of the local Segment by the package’s own name',
    'src/planted-11.ts',
    `import { startLocalSegment } from 'synap-outbox/testing'\nstartLocalSegment()`,
  ],
  ['production-code-knows-no-tests', 'a re-export', 'src/planted-12.ts', `export * from './testing'`],
  [
    'runtime-dependencies-are-declared',
    'a development dependency',
    'src/planted-13.ts',
    `import { fastify } from 'fastify'\nfastify()`,
  ],
  [
    'runtime-dependencies-are-declared',
    'a package that is not declared',
    'src/cli/planted-14.ts',
    `import { pad } from 'left-pad'\npad()`,
  ],
]

const packages: Files = Object.fromEntries(
  ['@segment/analytics-node', 'commander', 'fastify', 'hono', 'left-pad', 'typeorm'].flatMap((name) => [
    [`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' })],
    [`node_modules/${name}/index.js`, 'module.exports = {}'],
  ]),
)

const { scripts } = require(path.join(ROOT, 'package.json')) as { scripts: Record<string, string> }
const folder = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'synap-outbox-rules-'))

beforeAll(() => {
  for (const file of [CONFIG, 'package.json', 'tsconfig.json']) {
    fs.copyFileSync(path.join(ROOT, file), path.join(folder, file))
  }
  write({ ...packages, ...permitted })
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

function write(files: Files): void {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name)
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, `${text}\n`)
  }
}

/** Runs the rules as `npm run check` does. Returns the names of those that each file breaks. */
async function violations(): Promise<Record<string, string[]>> {
  const [program = '', ...args] = (scripts['check:dependencies'] ?? '').split(' ')
  const { stdout, stderr } = await run(projectBin(program), [...args, '--output-type', 'json'], {
    cwd: folder,
  })
  if (stderr !== '') throw new Error(stderr)
  const { summary } = JSON.parse(stdout) as {
    summary: { violations: { from: string; rule: { name: string } }[] }
  }
  const found: Record<string, string[]> = {}
  for (const { from, rule } of summary.violations) found[from] = [...(found[from] ?? []), rule.name]
  return found
}

describe('the dependency rules', () => {
  it('mind nothing that is permitted', async () => {
    expect(await violations()).toEqual({})
  })

  it('are all shown to work here', () => {
    const shown = new Set(planted.map(([rule]) => rule))
    expect(forbidden.map(({ name }) => name).filter((name) => !shown.has(name))).toEqual([])
  })

  describe('catch what breaks', () => {
    let found: Record<string, string[]>
    beforeAll(async () => {
      write(halfOfRing)
      for (const [, , file, text] of planted) write({ [file]: text })
      found = await violations()
    })

    it.each(planted)('%s: %s', (rule, _, file) => {
      expect(found[file]).toEqual([rule])
    })
  })
})
