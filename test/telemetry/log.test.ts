import { Writable } from 'node:stream'
import pino from 'pino'
import type { Outbox } from 'synap-outbox'
import { beganTest, type Connected, createScene, type Scene } from '../support/scene'
import { LONG_RESTS } from '../trouble/support/trouble-scene'

interface Line {
  level: number
  msg: string
  err?: { type: string; message: string; stack: string }
  [field: string]: unknown
}

let scene: Scene
let outbox: Outbox
let portal: Connected
let text = ''

const lines = () =>
  text
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line)
const logged = (msg: RegExp) => lines().filter((line) => msg.test(line.msg))
const { debug, info, warn, error } = pino.levels.values

beforeAll(async () => {
  scene = await createScene()
  const destination = new Writable({
    write(chunk, _encoding, done) {
      text += chunk
      done()
    },
  })
  outbox = scene.outbox({ logger: pino({ level: 'debug' }, destination), dispatcher: LONG_RESTS })
  portal = await scene.connect(outbox)
})
afterAll(() => scene.end())
beforeEach(async () => {
  text = ''
  await scene.rows('DELETE FROM outbox_message')
  await scene.rows('DELETE FROM outbox_batch')
  await scene.rows(`UPDATE source_delivery SET resume_at = '-infinity'`)
})

const record = (userId = 'ada-lovelace') =>
  scene.dataSource.transaction((tx) =>
    outbox.track(tx, 'Began Test', { portalId: portal.portalId, userId, properties: beganTest() }),
  )

it('tells the way of a message at debug', async () => {
  await record()
  await outbox.drain()
  expect(lines().map(({ level, msg }) => [level, msg])).toEqual([
    [debug, 'outbox: messages recorded'],
    [debug, 'outbox: attempt ended'],
    [debug, 'outbox: messages delivered'],
  ])
  expect(lines()[1]).toMatchObject({
    portalId: portal.portalId,
    verdict: 'accepted',
    status: 200,
    attempt: 1,
  })
})

it('warns of what goes wrong with Segment, and names the portal and the reason', async () => {
  scene.segment.fault([
    { kind: 'status', status: 503, body: 'down' },
    { kind: 'status', status: 400, body: 'no' },
  ])
  await record()
  await outbox.drain()
  expect(logged(/rests/)).toMatchObject([
    { level: warn, portalId: portal.portalId, reason: 'HTTP 503: down' },
  ])
  await scene.rows(`UPDATE source_delivery SET resume_at = '-infinity'`)
  await outbox.drain()
  expect(logged(/messages dead/)).toMatchObject([{ level: warn, reason: 'Segment refused it: HTTP 400: no' }])
})

it('tells at error what a person has to mend in the code', async () => {
  await record('')
  expect(logged(/cannot be sent/)).toMatchObject([
    {
      level: error,
      portalId: portal.portalId,
      event: 'Began Test',
      problems: ['userId is empty', expect.anything()],
    },
  ])
})

it('tells at info what an operator does', async () => {
  await record('')
  await outbox.discard({ portalId: portal.portalId }, { actor: 'olga', reason: 'a test' })
  expect(logged(/operator/)).toMatchObject([{ level: info, action: 'discard', actor: 'olga', messages: 1 }])
})

it('tells an error with its stack, also that of a listener which throws or rejects', async () => {
  const forget = [
    outbox.on('recorded', () => {
      throw new RangeError('thrown')
    }),
    outbox.on('recorded', async () => {
      throw new RangeError('rejected')
    }),
  ]
  await record()
  await Promise.resolve()
  for (const each of forget) each()
  const errors = logged(/failed, and goes on/)
  expect(errors.map(({ level, during, err }) => [level, during, err?.type, err?.message])).toEqual([
    [error, 'listener', 'RangeError', 'thrown'],
    [error, 'listener', 'RangeError', 'rejected'],
  ])
  expect(errors[0]?.err?.stack).toContain('log.test.ts')
})

it('never tells a payload or a write key', async () => {
  scene.segment.fault({ kind: 'status', status: 401 }, { times: 1 })
  await record()
  await record('')
  await outbox.drain()
  expect(lines().length).toBeGreaterThan(3)
  expect(text).not.toContain(portal.writeKey)
  expect(text).not.toContain('ada-lovelace')
})
