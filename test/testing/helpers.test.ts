import { definePlan, type Outbox, outboxIn } from 'synap-outbox'
import {
  createTestOutbox,
  drained,
  failOnDiverted,
  recorded,
  recordedIn,
  type TestOutbox,
} from 'synap-outbox/testing'
import { z } from 'zod'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { beganTest, random } from '../support/scene'

let database: TestDatabase
let test: TestOutbox
let outbox: Outbox
const opened: { close(): Promise<void> }[] = []

beforeAll(async () => {
  database = await createTestDatabase()
  test = await createTestOutbox({ dataSource: database.dataSource })
  outbox = test.outbox
  opened.push(test)
})
afterAll(async () => {
  await Promise.all(opened.map((each) => each.close()))
  await database.drop()
})
beforeEach(() => database.dataSource.query('DELETE FROM outbox_message'))

const call = (properties = beganTest()) => ({ portalId: test.portalId, userId: 'u1', properties })
const record = () => database.dataSource.transaction((tx) => outbox.track(tx, 'Began Test', call()))

describe('recordedIn', () => {
  it('tells what the open transaction has recorded, as plain objects, in order, and nothing else', async () => {
    await record()
    const properties = beganTest()
    await database.dataSource.transaction(async (tx) => {
      expect(await recordedIn(tx)).toEqual([])
      const { messageId } = await outbox.track(tx, 'Began Test', call(properties))
      await outbox.identify(tx, {
        portalId: test.portalId,
        userId: 'u1',
        traits: { email: 'ada@example.org' },
      })
      const timestamp = expect.stringMatching(/^\d{4}-.*Z$/)
      const common = { portalId: test.portalId, userId: 'u1', status: 'pending', timestamp }
      expect(await recordedIn(tx)).toEqual([
        { ...common, type: 'track', event: 'Began Test', properties, messageId },
        { ...common, type: 'identify', traits: { email: 'ada@example.org' }, messageId: expect.any(String) },
      ])
    })
  })

  it('sees what nested transactions recorded, without those that were rolled back', async () => {
    const [kept, lost, last] = [beganTest(), beganTest(), beganTest()]
    await database.dataSource.transaction(async (tx) => {
      await tx.transaction((nested) => outbox.track(nested, 'Began Test', call(kept)))
      const failed = tx.transaction(async (nested) => {
        await outbox.track(nested, 'Began Test', call(lost))
        expect(await recordedIn(nested)).toHaveLength(2)
        throw new Error('only the inner one')
      })
      await expect(failed).rejects.toThrow('only the inner one')
      await outbox.track(tx, 'Began Test', call(last))
      expect((await recordedIn(tx)).map((one) => one.properties)).toEqual([kept, last])
    })
  })

  it('does not see what other transactions commit meanwhile, nor rows of long ago', async () => {
    await record()
    await database.dataSource.query('VACUUM FREEZE outbox_message')
    await database.dataSource.transaction(async (tx) => {
      await outbox.track(tx, 'Began Test', call())
      await record()
      expect(await recordedIn(tx)).toHaveLength(1)
      expect(await recorded(tx)).toHaveLength(3)
    })
  })

  it('refuses a manager without a transaction, and says what to pass', async () => {
    await expect(recordedIn(database.dataSource.manager)).rejects.toThrow(
      /without an open transaction.*Pass the `tx`/,
    )
  })
})

describe('recorded', () => {
  it('filters by what is given', async () => {
    const other = random()
    await test.connect(other)
    await database.dataSource.transaction(async (tx) => {
      await outbox.track(tx, 'Began Test', call())
      await outbox.track(tx, 'Began Test', { ...call(), userId: 'u2' })
      await outbox.track(tx, 'Began Test', { ...call(), portalId: other })
      await outbox.page(tx, { portalId: other, userId: 'u1', name: 'Home', properties: { path: '/' } })
      await outbox.track(tx, 'Began Test', { ...call(), userId: '' })
    })
    const count = async (filter: Parameters<typeof recorded>[1]) =>
      (await recorded(database.dataSource, filter)).length
    expect(await count({})).toBe(5)
    expect(await count({ portalId: other })).toBe(2)
    expect(await count({ portalId: other, type: 'page' })).toBe(1)
    expect(await count({ event: 'Began Test', userId: 'u2' })).toBe(1)
    const [dead] = await recorded(database.dataSource, { status: 'dead' })
    expect(dead).toMatchObject({ status: 'dead', reason: expect.stringContaining('userId is empty') })
  })

  it('sees nothing of a transaction that is rolled back', async () => {
    const failed = database.dataSource.transaction(async (tx) => {
      await outbox.track(tx, 'Began Test', call())
      throw new Error('the exam was not saved')
    })
    await expect(failed).rejects.toThrow('not saved')
    expect(await recorded(database.dataSource)).toEqual([])
  })

  it('finds tables that are in a schema of their own', async () => {
    const placed = outboxIn('analytics')
    const dataSource = await database.connect({ ...placed, migrationsTableName: 'placed_migrations' })
    await dataSource.runMigrations()
    const own = await createTestOutbox({ dataSource, schema: 'analytics' })
    opened.push(own)
    await dataSource.transaction(async (tx) => {
      await own.outbox.track(tx, 'Began Test', { ...call(), portalId: own.portalId })
      expect(await recordedIn(tx)).toHaveLength(1)
    })
    expect(await recorded(dataSource, { portalId: own.portalId })).toHaveLength(1)
  })
})

describe('failOnDiverted', () => {
  it('lets sendable calls pass, and lists every other with what is wrong, once', async () => {
    const check = failOnDiverted(outbox)
    await record()
    check()
    const failed = database.dataSource.transaction(async (tx) => {
      await outbox.track(tx, 'Began Test', { ...call(), properties: { testId: 't' } as never })
      await outbox.identify(tx, { portalId: test.portalId, userId: '', traits: {} })
      throw new Error('rolled back, as many tests do')
    })
    await expect(failed).rejects.toThrow('rolled back')
    expect(check).toThrow(
      `2 calls cannot be sent to Segment. In production nothing fails, and the portal’s analytics miss the event. ` +
        `Correct the call, or the tracking plan.\n  "Began Test" for portal ${test.portalId}:\n    properties.attemptId`,
    )
    expect(check).not.toThrow()
  })
})

describe('drained', () => {
  it('sends what waits, and tells what it did', async () => {
    await record()
    expect(await drained(outbox)).toMatchObject({ delivered: 1, dead: 0 })
    expect(test.segment.accepted({ event: 'Began Test' })).not.toEqual([])
  })

  it('fails where a message is refused, and says why', async () => {
    test.segment.fault({ kind: 'status', status: 400, body: 'no such thing' }, { times: 1 })
    await record()
    await expect(drained(outbox)).rejects.toThrow(
      /^Not every message was delivered.*\n {2}1 of portal \S+ ended dead: Segment refused it: HTTP 400: no such thing$/s,
    )
  })

  it('fails where a source rests after a failure, and says why', async () => {
    const patient = await createTestOutbox({
      dataSource: database.dataSource,
      dispatcher: { backoff: { initialMs: 3_600_000, maxMs: 3_600_000 } },
    })
    opened.push(patient)
    patient.segment.fault({ kind: 'status', status: 503 }, { times: 1 })
    await database.dataSource.transaction((tx) =>
      patient.outbox.track(tx, 'Began Test', { ...call(), portalId: patient.portalId }),
    )
    await expect(drained(patient.outbox)).rejects.toThrow(/1 of portal \S+ still wait: HTTP 503/)
  })

  it('fails where a source is paused', async () => {
    const source = await test.connect(random())
    await outbox.sources.pause(source.sourceId)
    await database.dataSource.transaction((tx) =>
      outbox.track(tx, 'Began Test', { ...call(), portalId: source.portalId }),
    )
    await expect(drained(outbox)).rejects.toThrow(/still wait: its source is paused$/)
  })
})

describe('createTestOutbox', () => {
  it('takes a plan of its own, and the other options of createOutbox', async () => {
    const plan = definePlan({
      'Lamp Lit': { properties: z.strictObject({ lamp: z.string() }), key: (p) => p.lamp },
    })
    const own = await createTestOutbox({ dataSource: database.dataSource, plan, invalid: 'throw' })
    opened.push(own)
    await database.dataSource.transaction((tx) =>
      own.outbox.track(tx, 'Lamp Lit', { portalId: own.portalId, userId: 'u', properties: { lamp: 'l1' } }),
    )
    await drained(own.outbox)
    expect(own.segment.accepted().map((message) => message.event)).toEqual(['Lamp Lit'])
  })

  it('leaves nothing running where the database is not migrated', async () => {
    const dataSource = await database.connect({ schema: 'nowhere' })
    await expect(createTestOutbox({ dataSource })).rejects.toThrow(/segment_source/)
  })
})
