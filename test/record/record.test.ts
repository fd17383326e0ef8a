import { messageId, NoTransactionError, type Outbox } from 'synap-outbox'
import type { Logger, QueryRunner } from 'typeorm'
import { beganTest, type Connected, createScene, random, type Scene } from '../support/scene'

let scene: Scene
let outbox: Outbox
let portal: Connected

beforeAll(async () => {
  scene = await createScene()
  outbox = scene.outbox()
  portal = await scene.connect(outbox)
})
afterAll(() => scene.end())

const row = async (id: string | undefined) => {
  const [found] = await scene.rows<Record<string, unknown>>(
    'SELECT * FROM outbox_message WHERE message_id = $1',
    [id],
  )
  return found
}
const count = async (sql = 'true') => {
  const [counted] = await scene.rows<{ n: number }>(
    `SELECT count(*)::int AS n FROM outbox_message WHERE ${sql}`,
  )
  return counted?.n
}

describe('track', () => {
  it('stores the call as it will be sent, under the id its fact has in this source', async () => {
    const properties = beganTest()
    const timestamp = new Date('2026-03-01T10:00:00.123Z')
    const result = await scene.dataSource.transaction((tx) =>
      outbox.track(tx, 'Began Test', {
        portalId: portal.portalId,
        userId: 'u1',
        properties,
        timestamp,
        context: { ip: '10.0.0.1' },
        traceParent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      }),
    )
    const id = messageId(portal.source.sourceId, 'Began Test', properties.attemptId)
    expect(result).toEqual({ outcome: 'recorded', messageId: id })
    expect(await row(id)).toMatchObject({
      status: 'pending',
      source_id: portal.source.sourceId,
      portal_id: portal.portalId,
      type: 'track',
      event: 'Began Test',
      user_id: 'u1',
      occurred_at: timestamp,
      trace_parent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      schema_hash: expect.stringMatching(/^[\da-f]{12}$/),
      body: {
        type: 'track',
        event: 'Began Test',
        userId: 'u1',
        properties,
        timestamp: timestamp.toISOString(),
        context: { ip: '10.0.0.1' },
      },
    })
  })

  it('makes the same fact recorded twice one row, in one transaction, in two, and in two at once', async () => {
    const properties = beganTest()
    const call = { portalId: portal.portalId, userId: 'u1', properties }
    const track = () => scene.dataSource.transaction((tx) => outbox.track(tx, 'Began Test', call))
    const once = await Promise.all([track(), track()])
    const again = await scene.dataSource.transaction((tx) =>
      outbox.record(tx, [
        { type: 'track', event: 'Began Test', ...call },
        { type: 'track', event: 'Began Test', ...call },
      ]),
    )
    const outcomes = [...once, ...again].map((result) => result.outcome).sort()
    expect(outcomes).toEqual(['duplicate', 'duplicate', 'duplicate', 'recorded'])
    expect(await count(`body->'properties'->>'attemptId' = '${properties.attemptId}'`)).toBe(1)
  })

  it('gives two portals different ids for the same fact', async () => {
    const other = await scene.connect(outbox)
    const properties = beganTest()
    const ids = await scene.dataSource.transaction(async (tx) => {
      const record = ({ portalId }: Connected) =>
        outbox.track(tx, 'Began Test', { portalId, userId: 'u', properties })
      return [(await record(portal)).messageId, (await record(other)).messageId]
    })
    expect(new Set(ids).size).toBe(2)
  })

  it('keeps the ids when the write key is rotated, and changes them for a new workspace', async () => {
    const rotated = await scene.connect(outbox)
    const call = { portalId: rotated.portalId, userId: 'u', properties: beganTest() }
    const track = () => scene.dataSource.transaction((tx) => outbox.track(tx, 'Began Test', call))
    const first = await track()
    await outbox.sources.saveWriteKey(rotated.source.sourceId, random(16), { insist: true })
    expect(await track()).toEqual({ outcome: 'duplicate', messageId: first.messageId })

    await outbox.sources.disable(rotated.source.sourceId)
    await scene.connect(outbox, { portalId: rotated.portalId })
    const other = await track()
    expect(other.outcome).toBe('recorded')
    expect(other.messageId).not.toBe(first.messageId)
  })

  it('records nothing for a portal without an active source, and says so', async () => {
    const before = await count()
    const result = await scene.dataSource.transaction((tx) =>
      outbox.track(tx, 'Began Test', { portalId: 'nobody', userId: 'u', properties: beganTest() }),
    )
    expect(result).toEqual({ outcome: 'no-source' })
    expect(await count()).toBe(before)
  })

  it('records for a paused source, and not for a disabled one', async () => {
    const { portalId, source } = await scene.connect(outbox)
    const track = () =>
      scene.dataSource.transaction((tx) =>
        outbox.track(tx, 'Began Test', { portalId, userId: 'u', properties: beganTest() }),
      )
    await outbox.sources.pause(source.sourceId)
    expect((await track()).outcome).toBe('recorded')
    await outbox.sources.disable(source.sourceId)
    expect((await track()).outcome).toBe('no-source')
  })

  it('records detailed events only for sources with Detailed Event Tracking', async () => {
    const answer = {
      testId: 't',
      attemptId: random(),
      questionId: 'q',
      questionType: 'essay',
      revision: 1,
    } as const
    const call = { portalId: portal.portalId, userId: 'u', properties: answer }
    const track = () => scene.dataSource.transaction((tx) => outbox.track(tx, 'Question Answered', call))
    expect((await track()).outcome).toBe('detailed-off')
    await outbox.sources.setDetailedEvents(portal.source.sourceId, true)
    expect((await track()).outcome).toBe('recorded')
  })
})

describe('identify, page and group', () => {
  it('gives each call an id of its own, a UUIDv7', async () => {
    const { portalId } = portal
    const results = await scene.dataSource.transaction(async (tx) => [
      await outbox.identify(tx, { portalId, userId: 'u', traits: { email: 'a@example.org' } }),
      await outbox.identify(tx, { portalId, userId: 'u', traits: { email: 'a@example.org' } }),
      await outbox.page(tx, {
        portalId,
        anonymousId: 'a',
        name: 'Tests',
        category: 'Exams',
        properties: { path: '/t' },
      }),
      await outbox.group(tx, {
        portalId,
        userId: 'u',
        groupId: portalId,
        traits: { name: 'P', kind: 'portal' },
      }),
    ])
    expect(new Set(results.map((result) => result.messageId)).size).toBe(4)
    for (const { outcome, messageId: id } of results) {
      expect(outcome).toBe('recorded')
      expect(id?.[14]).toBe('7')
    }
    expect((await row(results[2]?.messageId))?.body).toMatchObject({
      type: 'page',
      name: 'Tests',
      category: 'Exams',
      properties: { path: '/t', category: 'Exams' },
    })
  })
})

describe('record', () => {
  it('writes 500 calls in one round trip, in their order', async () => {
    const queries: string[] = []
    const spied = await scene.database.connect({
      logging: ['query'],
      logger: queryLogger((query) => queries.push(query)),
    })
    const many = scene.outbox({ dataSource: spied })
    const attempts = Array.from({ length: 500 }, (_, i) => `${random()}-${i}`)
    queries.length = 0
    await spied.transaction((tx) =>
      many.record(
        tx,
        attempts.map((attemptId) => ({
          type: 'track' as const,
          event: 'Began Test' as const,
          portalId: portal.portalId,
          userId: 'u',
          properties: beganTest(attemptId),
        })),
      ),
    )
    expect(queries.map((query) => query.trim().split(/\s/)[0])).toEqual(['START', 'SELECT', 'COMMIT'])
    const stored = await scene.rows<{ attempt: string }>(
      `SELECT body->'properties'->>'attemptId' AS attempt FROM outbox_message
       WHERE body->'properties'->>'attemptId' = ANY ($1) ORDER BY seq`,
      [attempts],
    )
    expect(stored.map(({ attempt }) => attempt)).toEqual(attempts)
  })

  it('says of each call what became of it, whatever its neighbours and the portals’ names', async () => {
    const detailed = await scene.connect(outbox, { portalId: `{"a", NULL} \\ '${random()}'` })
    const plain = await scene.connect(outbox)
    await outbox.sources.setDetailedEvents(detailed.source.sourceId, true)
    const began = (portalId: string, attemptId = random(), userId = 'u') =>
      ({ type: 'track', event: 'Began Test', portalId, userId, properties: beganTest(attemptId) }) as const
    const answered = (portalId: string) => {
      const given = { testId: 't', questionId: 'q', questionType: 'essay', revision: 1 } as const
      const properties = { ...given, attemptId: random() }
      return { type: 'track', event: 'Question Answered', portalId, userId: 'u', properties } as const
    }
    const twice = random()
    const calls = [
      began('NULL'),
      answered(plain.portalId),
      began(detailed.portalId, twice),
      began(plain.portalId, twice),
      answered(detailed.portalId),
      began(detailed.portalId, twice),
      began(plain.portalId, random(), ''),
      { type: 'identify', portalId: detailed.portalId, userId: 'u', traits: {} } as const,
      answered('nobody'),
    ]
    const results = await scene.dataSource.transaction((tx) => outbox.record(tx, calls))
    expect(results.map(({ outcome }) => outcome)).toEqual([
      'no-source',
      'detailed-off',
      'recorded',
      'recorded',
      'recorded',
      'duplicate',
      'diverted',
      'recorded',
      'no-source',
    ])
    expect(results[5]?.messageId).toBe(results[2]?.messageId)
    expect(results[3]?.messageId).toBe(messageId(plain.source.sourceId, 'Began Test', twice))
    const stored = await scene.rows<Record<string, string>>(
      `SELECT message_id AS "messageId", portal_id AS "portalId", source_id AS "sourceId" FROM outbox_message
       WHERE source_id IN ($1, $2) ORDER BY seq`,
      [detailed.source.sourceId, plain.source.sourceId],
    )
    expect(stored).toEqual(
      [2, 3, 4, 6, 7].map((i) => {
        const { portalId, source } = calls[i]?.portalId === plain.portalId ? plain : detailed
        return { messageId: results[i]?.messageId, portalId, sourceId: source.sourceId }
      }),
    )
  })

  it('does nothing for no calls', async () => {
    expect(await scene.dataSource.transaction((tx) => outbox.record(tx, []))).toEqual([])
  })
})

describe('misuse throws, always', () => {
  const call = () => ({ portalId: portal.portalId, userId: 'u', properties: beganTest() })

  it('outside a transaction', async () => {
    await expect(outbox.track(scene.dataSource.manager, 'Began Test', call())).rejects.toThrow(
      NoTransactionError,
    )
    await expect(outbox.track(undefined as never, 'Began Test', call())).rejects.toThrow(NoTransactionError)
  })

  it('through a manager of another DataSource', async () => {
    const other = await scene.database.connect()
    await expect(other.transaction((tx) => outbox.track(tx, 'Began Test', call()))).rejects.toThrow(
      'another DataSource',
    )
  })

  it('through a released query runner, and one whose transaction has ended', async () => {
    const runner = scene.dataSource.createQueryRunner()
    await runner.startTransaction()
    await outbox.track(runner.manager, 'Began Test', call())
    await runner.rollbackTransaction()
    await expect(outbox.track(runner.manager, 'Began Test', call())).rejects.toThrow('had ended')
    await runner.release()
    await expect(outbox.track(runner.manager, 'Began Test', call())).rejects.toThrow('released')
  })

  // What an un-awaited branch of Promise.all does: queued behind COMMIT or ROLLBACK, its statement would autocommit.
  it.each(['COMMIT', 'ROLLBACK'])('in a branch that goes on while %s is on its way', async (end) => {
    const late: Promise<unknown>[] = []
    const watched = await scene.database.connect({
      logging: ['query'],
      logger: queryLogger((query, runner) => {
        if (query === end && runner)
          late.push(own.track(runner.manager, 'Began Test', call()).catch((error) => error))
      }),
    })
    const own = scene.outbox({ dataSource: watched })
    const before = await count()
    await watched
      .transaction(async (tx) => {
        await tx.query('SELECT 1')
        if (end === 'ROLLBACK') throw new Error('early')
      })
      .catch(() => undefined)
    expect(await Promise.all(late)).toEqual([expect.any(NoTransactionError)])
    expect(await count()).toBe(before)
  })
})

function queryLogger(seen: (query: string, runner?: QueryRunner) => void): Logger {
  const nothing = () => undefined
  return {
    logQuery: (query, _parameters, runner) => seen(query, runner),
    logQueryError: nothing,
    logQuerySlow: nothing,
    logSchemaBuild: nothing,
    logMigration: nothing,
    log: nothing,
  }
}
