import type { Outbox } from 'synap-outbox'
import { type Connected, createScene, random, type Scene } from '../support/scene'

let scene: Scene
let outbox: Outbox
let portal: Connected

beforeEach(async () => {
  scene = await createScene()
  outbox = scene.outbox()
  portal = await scene.connect(outbox)
})
afterEach(() => scene.end())

const pages = (n: number, text: string) =>
  scene.dataSource.transaction((tx) =>
    outbox.record(
      tx,
      Array.from({ length: n }, () => ({
        type: 'page' as const,
        portalId: portal.portalId,
        userId: 'u',
        properties: { path: '/', search: random() },
        context: { text },
      })),
    ),
  )
const posts = () => scene.segment.requests().filter((request) => request.method === 'POST')

describe('a batch', () => {
  it('holds at most 500 messages', async () => {
    await pages(1001, '')
    await outbox.drain()
    expect(posts().map((request) => request.messageIds.length)).toEqual([500, 500, 1])
  })

  it.each([
    ['ASCII', 'x'],
    ['é, two bytes a character', 'é'],
    ['emoji, four bytes', '🎓'],
    ['the letter i, which the client’s own guard counts twice', 'i'],
  ])('stays below Segment’s 500 KB in true UTF-8 bytes: %s', async (_, character) => {
    await pages(40, character.repeat(Math.floor(30_000 / Buffer.byteLength(character))))
    await outbox.drain()
    expect(posts().length).toBeGreaterThan(2)
    for (const request of posts()) expect(request.bytes).toBeLessThan(500_000)
    expect(scene.segment.accepted()).toHaveLength(40)
  })

  it('is written ahead: its row stands before the request goes out, and knows since when it may be accepted', async () => {
    await pages(3, '')
    const seen: unknown[] = []
    const open = scene.rows.bind(scene)
    let looking: Promise<unknown> = Promise.resolve()
    scene.segment.fault(
      { kind: 'delay', ms: 300 },
      {
        when: () => {
          looking = open(
            `SELECT cardinality(message_ids) AS n, first_ambiguous_at = attempt_started_at AS since FROM outbox_batch
             WHERE outcome IS NULL`,
          ).then((rows) => seen.push(...rows))
          return true
        },
      },
    )
    await outbox.drain()
    await looking
    expect(seen).toEqual([{ n: 3, since: true }])
    const [batch] = await scene.rows(
      'SELECT outcome, attempt_count, attempts, attempt_started_at, settled_at IS NOT NULL AS settled FROM outbox_batch',
    )
    expect(batch).toMatchObject({
      outcome: 'delivered',
      attempt_count: 1,
      attempt_started_at: null,
      settled: true,
      attempts: [{ verdict: 'accepted', status: 200, at: expect.any(String), ms: expect.any(Number) }],
    })
  })

  it('settles its messages with it: when, and by which batch', async () => {
    await pages(2, '')
    await outbox.drain()
    const rows = await scene.rows(
      `SELECT m.status, m.reason, m.settled_at >= m.recorded_at AS after, b.message_ids @> ARRAY[m.message_id] AS held
       FROM outbox_message m JOIN outbox_batch b USING (batch_id)`,
    )
    expect(rows).toEqual(Array(2).fill({ status: 'delivered', reason: null, after: true, held: true }))
  })

  it('keeps the first 5 and the last 45 attempts of its history, and the count of all', async () => {
    await pages(1, '')
    scene.segment.fault({ kind: 'status', status: 500 }, { times: 60 })
    for (let i = 0; i < 61; i++) {
      await scene.rows(`UPDATE source_delivery SET resume_at = '-infinity'`)
      await outbox.drain()
    }
    const [batch] = await scene.rows<{ attempt_count: number; attempts: { verdict: string }[] }>(
      'SELECT attempt_count, attempts FROM outbox_batch',
    )
    expect(batch?.attempt_count).toBe(61)
    expect(batch?.attempts).toHaveLength(50)
    expect(batch?.attempts.at(-1)?.verdict).toBe('accepted')
  })
})
