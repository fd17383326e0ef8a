import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import path from 'node:path'
import readline from 'node:readline'
import { promisify } from 'node:util'
import { startLocalSegment } from 'synap-outbox/testing'
import { createTestDatabase, type TestDatabase } from '../support/database'

const main = path.resolve(__dirname, '../../dist/src/portal/main.js')
const SECRET_KEYS = `k1:${Buffer.alloc(32, 3).toString('base64')}`

/** What `npm start -- <args>` runs once its pre-script has built it. */
const start = (args: string[], env: Record<string, string> = {}) =>
  promisify(execFile)(process.execPath, [main, ...args], { env: { ...clean(), ...env } })
const failure = (args: string[], env?: Record<string, string>) =>
  start(args, env).then(
    () => {
      throw new Error('it did not fail')
    },
    (error: { code: number; stderr: string; stdout: string }) => error,
  )
const clean = () => {
  const {
    DATABASE_URL: _url,
    SEGMENT_HOST: _host,
    PORT: _port,
    OUTBOX_SECRET_KEYS: _keys,
    ...rest
  } = process.env
  return rest
}

/** Signs in at the Integrations page as the announcement says, and returns the page. */
async function settingsPage(announcement: string): Promise<string> {
  const [, page = '', portal = '', email = '', password = ''] =
    /Integrations\s+(http:\S+)\s+sign in to (\S+) as (\S+), password (\S+)/.exec(announcement) ?? []
  const { origin } = new URL(page)
  const signIn = await fetch((await fetch(page)).url, {
    method: 'POST',
    body: new URLSearchParams({ portal, email, password }),
    headers: { Origin: origin },
    redirect: 'manual',
  })
  const [cookie = ''] = signIn.headers.getSetCookie()
  return (await fetch(page, { headers: { Cookie: cookie.replace(/;.*/, '') } })).text()
}

/** What the console answers to nobody, to somebody who guesses, and to the operator of the announcement. */
async function consoleAnswers(announcement: string): Promise<string[]> {
  const [, url = '', password] =
    /Console\s+(http:\S+)\s+\(sign in as operator, password (\S+)\)/.exec(announcement) ?? []
  const accounts = [undefined, 'operator:guessed', `operator:${password}`]
  return Promise.all(
    accounts.map(async (account) => {
      const headers: Record<string, string> = account ? { Authorization: `Basic ${btoa(account)}` } : {}
      const answer = await fetch(url, { headers })
      const [, heading] = /<h1>(.*?)<\/h1>/.exec(await answer.text()) ?? []
      return `${answer.status} ${answer.headers.has('www-authenticate') ? 'sign in' : heading}`
    }),
  )
}

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

describe('npm start -- --once', () => {
  it('delivers every committed event exactly once, of all nine events and every call', async () => {
    const { stdout } = await start(['--once', '--students', '4'], {
      DATABASE_URL: database.url,
      OUTBOX_SECRET_KEYS: SECRET_KEYS,
    })
    const report = JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
    expect(report).toMatchObject({ duplicates: 0, lost: 0, leakedFromRollback: 0 })
    expect(report.recorded).toBeGreaterThan(250)
    expect(report.delivered).toBe(report.recorded)
    expect(report.accepted).toBe(report.recorded)
    expect(Object.keys(report.events).sort()).toEqual([
      'Assignment Started',
      'Began Test',
      'Collection Item Viewed',
      'Completed Test',
      'Exam User Registered',
      'Question Answered',
      'Submitted Test',
      'User Logged In',
      'User Registered',
      'User Session Restored',
      'group',
      'identify',
      'page',
    ])
  }, 120_000)
})

describe('npm start with a write key and a Segment of one’s own', () => {
  it('sends there, and says where to look', async () => {
    const segment = await startLocalSegment({ writeKeys: ['the-key-of-a-workspace'] })
    const { stdout } = await start(['--once', '--students', '1'], {
      DATABASE_URL: database.url,
      OUTBOX_SECRET_KEYS: SECRET_KEYS,
      SEGMENT_HOST: segment.url,
      SEGMENT_WRITE_KEY: 'the-key-of-a-workspace',
    })
    const accepted = segment.accepted({ writeKey: 'the-key-of-a-workspace' })
    await segment.close()
    expect(stdout).toContain('Everything was sent')
    expect(new Set(accepted.map((message) => message.event))).toContain('Completed Test')
  }, 120_000)
})

describe('npm start', () => {
  let running: ChildProcess | undefined
  afterEach(async () => {
    if (running?.exitCode === null && running.signalCode === null) {
      running.kill('SIGKILL')
      await once(running, 'exit')
    }
  })

  it('says where to look, and ends on Ctrl-C with nothing left waiting', async () => {
    const child = spawn(process.execPath, [main, '--students', '3'], {
      env: { ...clean(), DATABASE_URL: database.url, OUTBOX_SECRET_KEYS: SECRET_KEYS, PORT: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    running = child
    child.stderr.resume()
    const said: string[] = []
    let pages: Promise<[string, string[]]> | undefined
    for await (const line of readline.createInterface(child.stdout)) {
      said.push(line)
      if (!line.includes('The class is over')) continue
      const announcement = said.join('\n')
      pages = Promise.all([settingsPage(announcement), consoleAnswers(announcement)]).finally(() =>
        child.kill('SIGINT'),
      )
    }
    const [integrations, answers] = (await pages) ?? []
    expect(integrations).toContain('Events are flowing')
    expect(answers).toEqual(['401 sign in', '401 sign in', '200 Overview'])
    const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode]
    expect(code).toBe(0)
    const portal = /Portal\s+(http:\S+)\/health/.exec(said.join('\n'))?.[1]
    expect(portal).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    const sql = /Outbox\s+(SELECT .*)/.exec(said.join('\n'))?.[1] ?? ''
    const rows: { status: string }[] = await database.dataSource.query(sql)
    expect(rows).toHaveLength(20)
    expect(new Set(rows.map((row) => row.status))).toEqual(new Set(['delivered']))
  }, 120_000)

  it.each([
    ['an unknown option', ['--twice'], {}, /--twice.*--help/s],
    ['a number that is none', ['--students', 'many'], {}, /--students is "many"/],
    [
      'a missing secret key',
      [],
      { DATABASE_URL: 'postgres://x@127.0.0.1:1/x' },
      /OUTBOX_SECRET_KEYS is not set/,
    ],
    [
      'an unreachable database',
      [],
      { DATABASE_URL: 'postgres://x:topsecret@127.0.0.1:1/x', OUTBOX_SECRET_KEYS: SECRET_KEYS },
      /PostgreSQL does not answer at 127\.0\.0\.1:1\/x/,
    ],
  ])('says in one sentence what is wrong with %s', async (_, args, env, sentence) => {
    const { code, stderr } = await failure(args, env)
    expect(code).toBe(1)
    expect(stderr).toMatch(sentence)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stderr).not.toContain('topsecret')
  })

  it('says in one sentence that its port is in use', async () => {
    const taken = net.createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as net.AddressInfo
    const env = { DATABASE_URL: database.url, OUTBOX_SECRET_KEYS: SECRET_KEYS, PORT: `${port}` }
    const { code, stderr } = await failure([], env)
    taken.close()
    expect([code, stderr.trim()]).toEqual([
      1,
      `Port ${port} is in use: choose another one, like PORT=${port + 1} npm start.`,
    ])
  })

  it('prints its help', async () => {
    expect((await start(['--help'])).stdout).toContain('Usage: npm start')
  })
})
