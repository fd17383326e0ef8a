import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Outbox } from 'synap-outbox'
import { environment, MAIN, SECRET_KEYS } from '../cli/support/cli'
import { type Connected, createScene, type Scene } from '../support/scene'
import { acceptedAttempts, beginEarlier, EXAM_TABLE } from './exams'

/** More than two pages of the command's. */
const EXAMS = 600

let scene: Scene
let outbox: Outbox
let portal: Connected
let exams: string[]
let folder: string

beforeAll(async () => {
  scene = await createScene()
  await scene.rows(EXAM_TABLE)
  outbox = scene.outbox({ secretKeys: SECRET_KEYS })
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'synap-outbox-backfill-'))
  fs.writeFileSync(path.join(folder, 'app.js'), app)
  fs.writeFileSync(path.join(folder, 'half.js'), 'exports.outbox = { backfill() {} }')
})
afterAll(async () => {
  await scene.end()
  fs.rmSync(folder, { recursive: true })
})
beforeEach(async () => {
  portal = await scene.connect(outbox)
  exams = await beginEarlier(scene, portal, EXAMS)
})

/** What an application exports. KILL_AT ends the process there, as the machine's end would. */
const app = `
  const { subscribe } = require('node:diagnostics_channel')
  const { createOutbox } = require(${JSON.stringify(path.resolve(MAIN, '../../index.js'))})
  const { createDataSource } = require(${JSON.stringify(path.resolve(MAIN, '../../../ormconfig.js'))})

  const [step, nth] = (process.env.KILL_AT ?? 'never 1').split(' ')
  let reached = 0
  subscribe('synap-outbox:step', (message) => {
    if (message.step === step && ++reached === Number(nth)) process.kill(process.pid, 'SIGKILL')
  })

  exports.dataSource = createDataSource({ url: process.env.DATABASE_URL })
  exports.outbox = createOutbox({
    dataSource: exports.dataSource,
    secretKeys: process.env.OUTBOX_SECRET_KEYS,
    segment: { host: process.env.SEGMENT_HOST },
  })
  exports.backfills = {
    'Began Test': async ({ manager, portalId, from, to, after, limit }) => {
      const rows = await manager.query(
        \`SELECT id, begun_at FROM exam_begun
         WHERE portal_id = $1 AND begun_at >= $2 AND begun_at < $3 AND id > $4 ORDER BY id LIMIT $5\`,
        [portalId, from, to, after ?? '', limit],
      )
      return rows.map(({ id, begun_at }) => ({
        cursor: id,
        userId: 'student',
        timestamp: begun_at,
        properties: { testId: 'test-1', attemptId: id, attemptNumber: 1 },
      }))
    },
  }`

interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** Runs the command. `heard` is called with the process whenever it has said something on stderr. */
async function command(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  heard: (said: string, kill: (signal: NodeJS.Signals) => void) => void = () => undefined,
): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, 'backfill', ...args], {
    env: { ...process.env, ...environment(scene), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    heard(stderr, (signal) => child.kill(signal))
  })
  const [code, signal] = await once(child, 'close')
  return { code, signal, stdout, stderr }
}

const backfill = (...more: string[]) => [
  ...['Began Test', '--app', path.join(folder, 'app.js')],
  ...['--portal', portal.portalId, '--rate', '10000', ...more],
]
const rows = async () => {
  const [row] = await scene.rows<{ n: number }>(
    'SELECT count(*)::int AS n FROM outbox_message WHERE source_id = $1',
    [portal.source.sourceId],
  )
  return row?.n
}

it.each([
  ['before the second page is written', 'record:before 2', 250],
  ['when it is written, and not committed', 'record:after 2', 250],
  ['when it is committed', 'record:committed 2', 500],
])('a process that is killed %s goes on when it is run again, without a double', async (_, at, kept) => {
  await outbox.start() // as the application would: what is recorded is sent at the same time
  const killed = await command(backfill(), { KILL_AT: at })
  expect(killed).toMatchObject({ signal: 'SIGKILL' })
  expect(await rows()).toBe(kept)

  const again = await command(backfill('--json'))
  expect(again).toMatchObject({ code: 0 })
  expect(JSON.parse(again.stdout).reports).toMatchObject([
    { recorded: EXAMS, duplicates: 0, diverted: 0, finished: true },
  ])
  await outbox.drain()
  await outbox.stop()
  expect(acceptedAttempts(scene, portal).toSorted()).toEqual(exams)
  expect(scene.segment.duplicates({ writeKey: portal.writeKey })).toEqual([])
})

it('waits while nothing is sent, says so, and stops in order when it is told to', async () => {
  const stopped = await command(backfill(), {}, (said, kill) => {
    if (said.includes('waits for')) kill('SIGTERM')
  })
  expect([stopped.code, stopped.stdout]).toEqual([
    3,
    expect.stringContaining('The same command goes on from here.'),
  ])
  expect(stopped.stderr).toContain('500 messages recorded; waits for the portal’s messages to be sent')
  expect(await rows()).toBe(500)
  await outbox.drain()
  const { code, stdout } = await command(backfill())
  expect([code, stdout]).toEqual([
    0,
    expect.stringContaining('Began Test: 600 messages recorded, 1970-01-01'),
  ])
})

it.each<[string, () => string[], RegExp]>([
  [
    'a module that is not there',
    () => ['Began Test', '--app', path.join(folder, 'none.js'), '--portal', 'p'],
    /none\.js cannot be loaded: .* Name the compiled file/s,
  ],
  [
    'a module that exports less',
    () => ['Began Test', '--app', path.join(folder, 'half.js'), '--portal', 'p'],
    /exports no dataSource, no backfills\./,
  ],
  [
    'an event without a reader',
    () => ['Began Test', 'Submitted Test', '--app', path.join(folder, 'app.js'), '--portal', 'p'],
    /no backfill of "Submitted Test"\. It has Began Test\./,
  ],
  ['a moment that is none', () => backfill('--from', 'yesterday'), /has to be ISO 8601/],
])('refuses %s, and says what to do: exit 2', async (_, args, message) => {
  expect(await command(args())).toMatchObject({ code: 2, stderr: expect.stringMatching(message) })
  expect(await rows()).toBe(0)
})

it('tells what the outbox refuses: exit 1', async () => {
  const beyond = new Date(Date.now() + 3_600_000).toISOString().slice(0, 16)
  const refused = await command(backfill('--to', `${beyond}Z`))
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('after the portal was connected'),
  })
})
