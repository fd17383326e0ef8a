import type { Outbox } from 'synap-outbox'
import { beganTest, type Connected, createScene, random, type Scene } from '../support/scene'
import { type DecodedTransaction, decode } from './pgoutput'

/**
 * An engine for change data capture reads the outbox instead of the dispatcher: a publication of the inserts, a logical
 * replication slot, PostgreSQL's own plug-in. Nothing in the domain services knows of it.
 */
let scene: Scene
let outbox: Outbox
let portal: Connected
let slot: string
/** Why this server cannot show it. */
let unfit: string | undefined

beforeEach(async () => {
  scene = await createScene()
  outbox = scene.outbox()
  portal = await scene.connect(outbox, { detailedEvents: true })
  const [server] = await scene.rows<{ level: string; may: boolean }>(
    `SELECT current_setting('wal_level') AS level,
            (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user) AS may`,
  )
  unfit = server?.level !== 'logical' ? `wal_level is ${server?.level}` : undefined
  if (!server?.may) unfit ??= 'its account may not replicate'
  if (unfit !== undefined) return
  slot = `synap_outbox_${random()}`
  await scene.rows(`CREATE PUBLICATION outbox FOR TABLE outbox_message WITH (publish = 'insert')`)
  await scene.rows('SELECT pg_create_logical_replication_slot($1, $2)', [slot, 'pgoutput'])
})
afterEach(async () => {
  if (unfit === undefined) await scene.rows('SELECT pg_drop_replication_slot($1)', [slot])
  await scene.end()
})

/** A test that needs logical decoding; on a server without it, it says so and passes. */
const itDecodes = (name: string, test: () => Promise<void>) =>
  it(name, async () => {
    if (unfit === undefined) return test()
    process.stderr.write(`skipped, because on this server ${unfit}: ${name}\n`)
  })

/** Committed transactions with inserts, as the slot gives them. What is only peeked at comes again. */
const transactions = async (how: 'peek' | 'get' = 'get'): Promise<DecodedTransaction[]> => {
  const rows = await scene.rows<{ data: Buffer }>(
    `SELECT data FROM pg_logical_slot_${how}_binary_changes($1, NULL, NULL, 'proto_version', '1', 'publication_names', 'outbox')`,
    [slot],
  )
  return decode(rows.map(({ data }) => data)).filter(({ inserts }) => inserts.length > 0)
}

/** The calls that an engine would send: what is pending when it is inserted, body and messageId. */
const calls = (decoded: readonly DecodedTransaction[]) =>
  decoded
    .flatMap(({ inserts }) => inserts)
    .filter(({ status }) => status === 'pending')
    .map(({ message_id, body }) => ({ ...JSON.parse(body as string), messageId: message_id }))

/** What the dispatcher sent of the same rows, without what the client adds. */
const sent = () =>
  scene.segment.accepted().map(({ message: { context, _metadata, integrations: _, ...call } }) => {
    const { library, ...rest } = context as Record<string, unknown>
    return Object.keys(rest).length > 0 ? { ...call, context: rest } : call
  })

const attemptIds = (decoded: readonly DecodedTransaction[]) =>
  calls(decoded).map(({ properties }) => properties.attemptId as string)

const began = (attemptId: string) => ({
  portalId: portal.portalId,
  userId: 'user-1',
  properties: beganTest(attemptId),
})

describe('an engine for change data capture', () => {
  itDecodes('reconstructs every kind of call exactly as the dispatcher sends it', async () => {
    const who = { portalId: portal.portalId, userId: 'user-1' }
    await scene.dataSource.transaction(async (tx) => {
      await outbox.track(tx, 'Began Test', { ...began('a'), context: { ip: '203.0.113.57' } })
      await outbox.page(tx, { ...who, name: 'Dashboard', category: 'Exams', properties: { path: '/' } })
      await outbox.group(tx, { ...who, groupId: 'class-1', traits: { kind: 'user group', name: 'Class 1' } })
      await outbox.identify(tx, { ...who, traits: { firstName: `Zoë "O'Neil" \\ \n\t 🎓` } })
    })
    const decoded = calls(await transactions())
    await outbox.drain()
    expect(decoded).toHaveLength(4)
    expect(decoded).toEqual(sent())
  })

  itDecodes(
    'sees transactions in the order of their commits, each whole, and none that rolled back',
    async () => {
      const runners = [scene.dataSource.createQueryRunner(), scene.dataSource.createQueryRunner()] as const
      const [first, second] = runners
      try {
        await first.startTransaction()
        await second.startTransaction()
        await outbox.track(first.manager, 'Began Test', began('early'))
        await outbox.track(second.manager, 'Began Test', began('late 1'))
        await outbox.track(second.manager, 'Began Test', began('late 2'))
        await second.commitTransaction()
        await outbox.track(first.manager, 'Began Test', began('early, again'))
        await first.commitTransaction()
      } finally {
        for (const runner of runners) await runner.release()
      }
      const rolledBack = scene.dataSource.transaction(async (tx) => {
        await outbox.track(tx, 'Began Test', began('never'))
        throw new Error('the exam was withdrawn')
      })
      await expect(rolledBack).rejects.toThrow('withdrawn')

      const decoded = await transactions()
      expect(decoded.map((each) => attemptIds([each]))).toEqual([
        ['late 1', 'late 2'],
        ['early', 'early, again'],
      ])
    },
  )

  itDecodes('leaves out what cannot be sent, and what was recorded already', async () => {
    const record = (attemptId: unknown) =>
      scene.dataSource.transaction((tx) => outbox.track(tx, 'Began Test', began(attemptId as string)))
    expect(await record(42)).toMatchObject({ outcome: 'diverted' })
    expect(await record('a')).toMatchObject({ outcome: 'recorded' })
    expect(await record('a')).toMatchObject({ outcome: 'duplicate' })
    expect(attemptIds(await transactions())).toEqual(['a'])
  })

  itDecodes('gets what it has not confirmed once more, under the same ids', async () => {
    await scene.dataSource.transaction((tx) => outbox.track(tx, 'Began Test', began('a')))
    const before = calls(await transactions('peek'))
    await scene.dataSource.transaction((tx) => outbox.track(tx, 'Began Test', began('b')))
    const after = calls(await transactions('get'))
    expect(after.slice(0, 1)).toEqual(before)
    expect(await transactions('get')).toEqual([])
  })
})
