import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { createEmptyDatabase, type EmptyDatabase } from '../migrations/migrated-database'
import { run } from '../package/run'
import { MAIN, parsed, SECRET_KEYS } from './support/cli'

const PASSWORD = 's3cret-of-the-database'

let empty: EmptyDatabase

beforeAll(async () => {
  empty = await createEmptyDatabase()
})
afterAll(() => empty.drop())

const cli = (args: string[], env: NodeJS.ProcessEnv = {}) =>
  run(process.execPath, [MAIN, ...args], {
    env: { DATABASE_URL: empty.url, OUTBOX_SECRET_KEYS: SECRET_KEYS, SEGMENT_HOST: undefined, ...env },
  })

function withPassword(change: (url: URL) => void = () => {}): string {
  const url = new URL(empty.url)
  url.password = PASSWORD
  change(url)
  return url.href
}

describe('the connection', () => {
  const cases: [string, () => string | undefined, number, string][] = [
    ['no URL', () => undefined, 2, 'No database is named. Set DATABASE_URL'],
    ['no URL at all', () => `${PASSWORD}`, 2, 'The database URL cannot be read.'],
    ['a bad escape', () => `postgres://u:${PASSWORD}%zz@h/d`, 2, 'percent-encoded'],
    ['another database', () => `mysql://u:${PASSWORD}@h/d`, 2, 'begins with "mysql:"'],
    [
      'a port where nothing listens',
      () => `postgres://u:${PASSWORD}@127.0.0.1:1/d`,
      1,
      'nothing listens there',
    ],
    [
      'no such host',
      () => `postgres://u:${PASSWORD}@no-such-host.invalid/d`,
      1,
      'Cannot connect to PostgreSQL',
    ],
    ['an unknown user', () => withPassword((url) => (url.username = 'nobody')), 1, 'refuses the connection'],
  ]

  it.each(cases)('with %s ends in three sentences, without the password', async (_, url, expected, words) => {
    for (const args of [['status'], ['drain'], ['redrive', '--portal', 'p', '--reason', 'r', '--yes']]) {
      const { code, stdout, stderr } = await cli(args, { DATABASE_URL: url() })
      expect({ args, code, stdout }).toEqual({ args, code: expected, stdout: '' })
      expect(stderr).toContain(words)
      expect(stderr.trimEnd().split('\n')).toHaveLength(1)
      expect(stderr).not.toContain(PASSWORD)
    }
  })

  it('says what is missing where the migrations have not run', async () => {
    for (const args of [
      ['status'],
      ['messages'],
      ['sources', 'pause', 'p', '--reason', 'r', '--yes'],
      ['drain'],
    ]) {
      const { code, stdout, stderr } = await cli(args)
      expect({ args, code, stdout }).toEqual({ args, code: 1, stdout: '' })
      expect(stderr).toContain('Run `synap-outbox migrate`')
    }
  }, 60_000)

  it('asks for the secret keys only where write keys are read', async () => {
    const env = { OUTBOX_SECRET_KEYS: undefined }
    expect((await cli(['messages'], env)).stderr).not.toContain('OUTBOX_SECRET_KEYS')
    const { code, stderr } = await cli(['drain'], env)
    expect(code).toBe(2)
    expect(stderr).toContain('OUTBOX_SECRET_KEYS is not set.')
  })

  it('never repeats a secret key, or an origin with a password in it', async () => {
    const keys = await cli(['status'], { OUTBOX_SECRET_KEYS: `k1:${PASSWORD}` })
    const host = await cli(['status'], { SEGMENT_HOST: `ftp://u:${PASSWORD}@h` })
    expect([keys.code, host.code]).toEqual([1, 2])
    expect(keys.stderr + host.stderr).not.toContain(PASSWORD)
  })
})

describe('help', () => {
  it('of every command has examples and the exit codes, and loads neither TypeORM nor a driver', async () => {
    const { stdout } = await cli(['--help'])
    const names = [...stdout.matchAll(/^ {2}([a-z]+) .*[A-Z]/gm)].map(([, name]) => name as string)
    expect(names).toEqual(expect.arrayContaining(['status', 'why', 'redrive', 'sources', 'drain', 'doctor']))
    const forbidden = `
      const load = require('node:module')._load
      require('node:module')._load = function (name, ...rest) {
        if (/^(typeorm|pg|@segment)/.test(name)) throw new Error('loaded ' + name)
        return load.call(this, name, ...rest)
      }`
    const guard = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'synap-outbox-cli-')), 'guard.cjs')
    fs.writeFileSync(guard, forbidden)
    for (const name of names) {
      const help = execFileSync(process.execPath, ['-r', guard, MAIN, name, '--help']).toString()
      expect(help).toContain('Examples:\n  $ synap-outbox ')
      if (!['sources', 'sandbox', 'plan'].includes(name)) expect(help).toContain('Exit codes: 0 fine')
    }
    fs.rmSync(path.dirname(guard), { recursive: true })
  }, 60_000)
})

describe('migrate', () => {
  it('shows what is pending, runs it once, and knows when it is done', async () => {
    const dry = await cli(['migrate', '--dry-run', '--json'])
    expect(dry.code).toBe(3)
    const { pending } = parsed<{ pending: string[] }>(dry)
    expect(pending[0]).toMatch(/^CreateOutbox/)
    expect((await cli(['migrate'])).code).toBe(2) // nobody to ask
    expect((await cli(['migrate', '--dry-run'])).code).toBe(3) // and nothing was done
    const { code, stdout } = await cli(['migrate', '--yes'])
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout:
        pending.map((name) => `pending  ${name}\n`).join('') +
        pending.map((name) => `ran      ${name}\n`).join(''),
    })
    expect((await cli(['migrate', '--yes'])).stdout).toBe('No migration is pending.\n')
    expect((await cli(['status'])).code).toBe(0)
  }, 60_000)

  it('does not run them again where the application has noted them in another table', async () => {
    const { code, stderr } = await cli(['migrate', '--yes', '--migrations-table', 'elsewhere'])
    expect(code).toBe(1)
    expect(stderr).toContain('--migrations-table')
  })
})
