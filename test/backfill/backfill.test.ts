import { InvalidCallError, OperationError, type Outbox, type ReadFacts, type synapPlan } from 'synap-outbox'
import { type Connected, createScene, type Scene } from '../support/scene'
import { acceptedAttempts, beginEarlier, beginNow, EXAM_TABLE, quick, readExams } from './exams'

type Read = ReadFacts<typeof synapPlan, 'Began Test'>

let scene: Scene
let outbox: Outbox
let portal: Connected
let exams: string[]

beforeAll(async () => {
  scene = await createScene()
  await scene.rows(EXAM_TABLE)
  outbox = scene.outbox()
})
afterAll(() => scene.end())
beforeEach(async () => {
  portal = await scene.connect(outbox)
  exams = await beginEarlier(scene, portal, 10)
})

const backfill = (options = {}, read: Read = readExams, own = outbox) =>
  own.backfill('Began Test', read, { portalId: portal.portalId, ...quick, ...options })
const recorded = async () => {
  const rows = await scene.rows<{ attempt: string }>(
    `SELECT body->'properties'->>'attemptId' AS attempt FROM outbox_message WHERE source_id = $1 ORDER BY seq`,
    [portal.source.sourceId],
  )
  return rows.map(({ attempt }) => attempt)
}
const daysAgo = (days: number) => new Date(portal.source.createdAt.getTime() - days * 86_400_000)

describe('a backfill', () => {
  it('records what happened before the portal was connected, at the moment it happened, once', async () => {
    const report = await backfill()
    expect(report).toEqual({
      sourceId: portal.source.sourceId,
      event: 'Began Test',
      from: new Date(0),
      to: portal.source.createdAt,
      recorded: 10,
      duplicates: 0,
      diverted: 0,
      finished: true,
    })
    await outbox.drain()
    expect(acceptedAttempts(scene, portal).toSorted()).toEqual(exams)
    const facts = await scene.rows<{ id: string; begun_at: Date }>('SELECT id, begun_at FROM exam_begun')
    const begun = new Map(facts.map(({ id, begun_at }) => [id, begun_at.toISOString()]))
    for (const { message } of scene.segment.accepted({ writeKey: portal.writeKey })) {
      const { attemptId } = message.properties as { attemptId: string }
      expect(message.timestamp).toBe(begun.get(attemptId))
    }
  })

  it('gives a fact the id that live recording gives it', async () => {
    const [first = ''] = exams
    const live = await scene.dataSource.transaction((tx) =>
      outbox.track(tx, 'Began Test', {
        portalId: portal.portalId,
        userId: 'student',
        properties: { testId: 'test-1', attemptId: first, attemptNumber: 1 },
      }),
    )
    expect(live.outcome).toBe('recorded')
    expect(await backfill()).toMatchObject({ recorded: 9, duplicates: 1 })
    await outbox.drain()
    expect(acceptedAttempts(scene, portal).toSorted()).toEqual(exams)
  })

  it('is told of page by page', async () => {
    const told: unknown[] = []
    await backfill({
      onProgress: (p: { state: string; recorded: number }) => told.push([p.state, p.recorded]),
    })
    expect(told).toEqual([
      ['recorded', 4],
      ['recorded', 8],
      ['recorded', 10],
      ['finished', 10],
    ])
  })

  it('that was stopped goes on behind the last page, and reads nothing twice', async () => {
    const ends = new AbortController()
    const asked: (string | null)[] = []
    const read: Read = (page) => {
      asked.push(page.after)
      return readExams(page)
    }
    expect(await backfill({ signal: ends.signal, onProgress: () => ends.abort() }, read)).toMatchObject({
      recorded: 4,
      finished: false,
    })
    expect(await recorded()).toEqual(exams.slice(0, 4))
    expect(await backfill({}, read)).toMatchObject({ recorded: 10, duplicates: 0, finished: true })
    expect(asked).toEqual([null, exams[3], exams[7], exams[9]])
    expect(await recorded()).toEqual(exams)
  })

  it('ends with its outbox, and goes on with the next', async () => {
    const own = scene.outbox()
    expect(await backfill({ onProgress: () => void own.stop() }, readExams, own)).toMatchObject({
      recorded: 4,
      finished: false,
    })
    expect(await backfill()).toMatchObject({ recorded: 10, duplicates: 0, finished: true })
  })

  it.each<[string, (page: number) => void, RegExp]>([
    [
      'its reader',
      (page) => {
        if (page === 2) throw new Error('the replica is away')
      },
      /replica is away/,
    ],
    ['the connection', () => undefined, /terminat|Connection/],
  ])('loses the page at hand with %s, and nothing else', async (what, fail, message) => {
    let page = 0
    const read: Read = async (given) => {
      const facts = await readExams(given)
      fail(++page)
      if (what === 'the connection' && page === 2) {
        const [{ pid } = { pid: 0 }] = await given.manager.query('SELECT pg_backend_pid() AS pid')
        await scene.rows('SELECT pg_terminate_backend($1)', [pid])
      }
      return facts
    }
    await expect(backfill({}, read)).rejects.toThrow(message)
    expect(await recorded()).toEqual(exams.slice(0, 4))
    expect(await backfill()).toMatchObject({ recorded: 10, duplicates: 0 })
    expect(await recorded()).toEqual(exams)
  })

  it('stores what cannot be sent dead, and counts it; or rolls its page back, as the outbox is told', async () => {
    const read: Read = async (page) => {
      const facts = await readExams(page)
      return facts.map((fact, i) =>
        i === 1 ? { ...fact, properties: { ...fact.properties, attemptNumber: -1 } } : fact,
      )
    }
    const strict = scene.outbox({ invalid: 'throw' })
    await expect(backfill({}, read, strict)).rejects.toThrow(InvalidCallError)
    expect(await recorded()).toEqual([])
    expect(await backfill({}, read)).toMatchObject({ recorded: 7, diverted: 3, finished: true })
    expect(
      await scene.rows('SELECT FROM outbox_message WHERE source_id = $1 AND status = $2', [
        portal.source.sourceId,
        'dead',
      ]),
    ).toHaveLength(3)
  })

  it('shared by two processes is done once', async () => {
    const reports = await Promise.all([backfill(), backfill({}, readExams, scene.outbox())])
    expect(reports).toMatchObject([{ finished: true }, { finished: true }])
    expect(await recorded()).toEqual(exams)
    expect(Math.max(...reports.map((report) => report.duplicates))).toBe(0)
  })

  it('leaves other portals and other events alone', async () => {
    const other = await scene.connect(outbox)
    await beginEarlier(scene, other, 3)
    await backfill()
    expect(await scene.rows('SELECT FROM outbox_message WHERE portal_id = $1', [other.portalId])).toEqual([])
    const logins = await outbox.backfill('User Logged In', async () => [], {
      portalId: portal.portalId,
      ...quick,
    })
    expect(logins).toMatchObject({ recorded: 0, finished: true })
    expect(
      await outbox.backfill('Began Test', readExams, { portalId: other.portalId, ...quick }),
    ).toMatchObject({
      recorded: 3,
    })
  })
})

describe('what was pruned', () => {
  it('is not recorded again by the same backfill', async () => {
    await backfill()
    await outbox.drain()
    await scene.rows('DELETE FROM outbox_message WHERE source_id = $1', [portal.source.sourceId])
    expect(await backfill()).toMatchObject({ recorded: 10, finished: true })
    expect(await recorded()).toEqual([])
  })

  it('is not recorded again by one that overlaps it, finished or not', async () => {
    await backfill({ from: daysAgo(8), to: daysAgo(4) })
    for (const range of [
      {},
      { from: daysAgo(6) },
      { to: daysAgo(5) },
      { from: daysAgo(7), to: daysAgo(5) },
    ]) {
      await expect(backfill(range)).rejects.toThrow(/overlaps a backfill .* Choose a range beside it/)
    }
    const ends = AbortSignal.abort()
    await backfill({ from: daysAgo(4), to: daysAgo(2), signal: ends })
    await expect(backfill({ from: daysAgo(3) })).rejects.toThrow(
      /which is not finished.* Go on with exactly that/,
    )
  })

  it('does not keep the ranges beside it from being recorded', async () => {
    expect(await backfill({ from: daysAgo(8), to: daysAgo(4) })).toMatchObject({ recorded: 4 })
    expect(await backfill({ to: daysAgo(8) })).toMatchObject({ recorded: 2 })
    expect(await backfill({ from: daysAgo(4) })).toMatchObject({ recorded: 4 })
    expect((await recorded()).toSorted()).toEqual(exams)
  })

  it('was recorded live after the portal had connected, and no backfill reaches there', async () => {
    const later = new Date(portal.source.createdAt.getTime() + 1)
    await expect(backfill({ to: later })).rejects.toThrow(OperationError)
    await expect(backfill({ to: later })).rejects.toThrow(/after the portal was connected.* sent twice/)
    await beginNow(scene, outbox, portal.portalId, 'live')
    await outbox.drain()
    await scene.rows('DELETE FROM outbox_message WHERE source_id = $1', [portal.source.sourceId])
    await backfill()
    await outbox.drain()
    expect(acceptedAttempts(scene, portal).toSorted()).toEqual([...exams, 'live'])
  })

  it('stays out when a reader ignores the range', async () => {
    await beginNow(scene, outbox, portal.portalId, `live-${portal.portalId}`)
    const read: Read = (page) => readExams({ ...page, to: new Date(Date.now() + 60_000) })
    await expect(backfill({}, read)).rejects.toThrow(/returned a fact of .* outside of it/)
  })

  it('belonged to the workspace before: a new one gets it all', async () => {
    await backfill()
    await outbox.drain()
    await outbox.sources.disable(portal.source.sourceId)
    const next = await scene.connect(outbox, { portalId: portal.portalId })
    expect(await backfill()).toMatchObject({ sourceId: next.source.sourceId, recorded: 10, duplicates: 0 })
    await outbox.drain()
    expect(acceptedAttempts(scene, next).toSorted()).toEqual(exams)
  })
})

describe('a backfill is refused', () => {
  it.each<[string, () => Promise<unknown>, RegExp]>([
    ['for a portal without a source', () => backfill({ portalId: 'nobody' }), /no active source/],
    ['for an empty range', () => backfill({ from: daysAgo(2), to: daysAgo(2) }), /is empty/],
    ['with an unknown option', () => backfill({ speed: 9 }), /options of the backfill are not valid.*speed/s],
    ['with a rate of nothing', () => backfill({ rate: 0 }), /rate/],
    [
      'without a reader',
      () => backfill({}, 'no function' as never),
      /no reader for the history of "Began Test"/,
    ],
    [
      'for an event that is not in the plan',
      () => outbox.backfill('Began Tset' as never, readExams as never, { portalId: portal.portalId }),
      /"Began Tset" is not in the tracking plan/,
    ],
    [
      'for a detailed event that the source does not record',
      () => outbox.backfill('Question Answered', async () => [], { portalId: portal.portalId }),
      /Detailed Event Tracking off/,
    ],
    [
      'where the reader does not move on',
      () => backfill({}, (page) => readExams({ ...page, after: null })),
      /returned the cursor "exam-00003/,
    ],
  ])('%s', async (_, attempt, message) => {
    await expect(attempt()).rejects.toThrow(OperationError)
    await expect(attempt()).rejects.toThrow(message)
  })

  it('for a source that is disabled on the way, and nothing goes to the one connected since', async () => {
    let changing: Promise<Connected> | undefined
    const read: Read = async (page) => {
      const facts = await readExams(page)
      changing ??= outbox.sources
        .disable(portal.source.sourceId)
        .then(() => scene.connect(outbox, { portalId: portal.portalId }))
      await Promise.race([changing, someoneWaits()])
      return facts
    }
    // The first page fills it, so that whoever waits for its end comes before the second.
    await expect(backfill({ maxPending: 4 }, read)).rejects.toThrow(/was disabled during the backfill/)
    const other = (await changing)?.source.sourceId
    expect(await recorded()).toEqual(exams.slice(0, 4))
    expect(await scene.rows('SELECT FROM outbox_message WHERE source_id = $1', [other])).toEqual([])
  })
})

/** Resolves once a connection waits for a lock of another. */
async function someoneWaits(): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; ) {
    const waiting = await scene.rows(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    if (waiting.length > 0) return
  }
}

describe('live events during a backfill', () => {
  it('are recorded and delivered once, and wait behind a bounded number of old ones', async () => {
    const old = await beginEarlier(scene, portal, 400)
    const dispatching = scene.outbox({ dispatcher: { batchMessages: 10, turnMs: 50 } })
    await dispatching.start()
    const ahead: number[] = []
    let live = 0
    const read: Read = async (page) => {
      const facts = await readExams(page)
      const id = `live-${live++}-${portal.portalId}`
      await beginNow(scene, outbox, portal.portalId, id)
      const [row] = await scene.rows<{ n: number }>(
        `SELECT count(*)::int AS n FROM outbox_message WHERE source_id = $1 AND status = 'pending'`,
        [portal.source.sourceId],
      )
      ahead.push(row?.n ?? 0)
      return facts
    }
    await backfill({ pageSize: 20, maxPending: 30 }, read, dispatching)
    await dispatching.drain()
    await dispatching.stop()
    expect(Math.max(...ahead)).toBeLessThanOrEqual(30 + 20)
    const lives = Array.from({ length: live }, (_, i) => `live-${i}-${portal.portalId}`)
    expect(acceptedAttempts(scene, portal).toSorted()).toEqual([...exams, ...old, ...lives].toSorted())
  })

  it('come first: it waits while they are not sent, says so, and goes on', async () => {
    for (const id of ['a', 'b', 'c'])
      await beginNow(scene, outbox, portal.portalId, `${id}-${portal.portalId}`)
    const states: string[] = []
    const report = await backfill({
      maxPending: 3,
      onProgress: ({ state }: { state: string }) => {
        states.push(state)
        if (state === 'waiting') void outbox.drain()
      },
    })
    expect(report).toMatchObject({ recorded: 10, finished: true })
    expect(states.slice(0, 2)).toEqual(['waiting', 'recorded'])
  })

  it('can end it while it waits', async () => {
    for (const id of ['a', 'b']) await beginNow(scene, outbox, portal.portalId, `${id}-${portal.portalId}`)
    const ends = new AbortController()
    const report = await backfill({ maxPending: 1, signal: ends.signal, onProgress: () => ends.abort() })
    expect(report).toMatchObject({ recorded: 0, finished: false })
  })
})
