import { OperationError, type Outbox } from 'synap-outbox'
import { beganTest, createScene, type Scene } from '../../support/scene'

let scene: Scene
let outbox: Outbox

beforeAll(async () => {
  scene = await createScene()
  outbox = scene.outbox()
})
afterAll(() => scene.end())
afterEach(() => scene.rows('TRUNCATE outbox_message, outbox_batch'))

type Call = { portalId: string; userId?: string; anonymousId?: string }
const record = async (...calls: Call[]) =>
  scene.dataSource.transaction(async (tx) => {
    const given = calls.map((call) => ({
      type: 'track' as const,
      event: 'Began Test' as const,
      properties: beganTest(),
      ...call,
    }))
    return (await outbox.record(tx, given as never)).map(({ messageId }) => messageId as string)
  })
/** All pages, each asked for with the `next` of the one before; `meanwhile` runs before the second. */
async function allPages(
  filter: Parameters<Outbox['inspect']['messages']>[0],
  limit: number,
  meanwhile?: () => Promise<unknown>,
) {
  const pages: string[][] = []
  let after: string | undefined
  do {
    const page = await outbox.inspect.messages(filter, { after, limit })
    pages.push(page.messages.map(({ messageId }) => messageId))
    after = page.next
    if (pages.length === 1) await meanwhile?.()
  } while (after !== undefined)
  return pages
}
const idsOf = async (filter: Parameters<Outbox['inspect']['messages']>[0]) =>
  (await outbox.inspect.messages(filter)).messages.map(({ messageId }) => messageId)

describe('messages', () => {
  it('come newest first, each on one page, whatever is recorded meanwhile', async () => {
    const { portalId } = await scene.connect(outbox)
    const ids = await record(...Array.from({ length: 7 }, () => ({ portalId, userId: 'u' })))
    // Ties in the time of recording are broken by the id.
    await scene.rows(
      `UPDATE outbox_message SET recorded_at = now() - interval '1 minute' WHERE message_id = ANY ($1)`,
      [ids.slice(2, 6)],
    )
    const order = await scene.rows<{ id: string }>(
      'SELECT message_id AS id FROM outbox_message ORDER BY recorded_at DESC, message_id DESC',
    )
    const pages = await allPages({}, 3, () => record({ portalId, userId: 'late' }))
    expect(pages.map((page) => page.length)).toEqual([3, 3, 1])
    expect(pages.flat()).toEqual(order.map(({ id }) => id))
  })

  it('have no next page where the last one is exactly full', async () => {
    const { portalId } = await scene.connect(outbox)
    await record(...Array.from({ length: 4 }, () => ({ portalId, userId: 'u' })))
    expect((await allPages({ portalId }, 2)).map((page) => page.length)).toEqual([2, 2])
  })

  it('are found by portal, source, user, event, type, status, id and time, alone and together', async () => {
    const [one, other] = [await scene.connect(outbox), await scene.connect(outbox)]
    const [a, b, c] = (await record(
      { portalId: one.portalId, userId: 'ann' },
      { portalId: one.portalId, userId: 'bob', anonymousId: 'visitor' },
      { portalId: other.portalId, anonymousId: 'visitor' },
    )) as [string, string, string]
    const [d] = await scene.dataSource.transaction(async (tx) => [
      (await outbox.identify(tx, { portalId: one.portalId, userId: 'ann', traits: {} })).messageId as string,
    ])
    await scene.rows(
      `UPDATE outbox_message SET status = 'dead', reason = 'r', settled_at = now() WHERE message_id = $1`,
      [b],
    )
    const at = new Date(Date.now() - 3_600_000)
    await scene.rows('UPDATE outbox_message SET recorded_at = $2 WHERE message_id = $1', [c, at])

    expect(await idsOf({ portalId: one.portalId })).toEqual([d, b, a])
    expect(await idsOf({ sourceId: other.source.sourceId })).toEqual([c])
    expect(await idsOf({ sourceId: other.source.sourceId, portalId: one.portalId })).toEqual([])
    expect(await idsOf({ who: 'ann' })).toEqual([d, a])
    expect(await idsOf({ who: 'visitor' })).toEqual([b, c])
    expect(await idsOf({ who: 'visitor', portalId: other.portalId })).toEqual([c])
    expect(await idsOf({ type: 'identify' })).toEqual([d])
    expect(await idsOf({ event: 'Began Test', who: 'ann' })).toEqual([a])
    expect(await idsOf({ status: 'dead' })).toEqual([b])
    expect(await idsOf({ status: 'dead', portalId: other.portalId })).toEqual([])
    expect(await idsOf({ status: 'pending' })).toEqual([d, a, c])
    expect(await idsOf({ messageIds: [a, c, '00000000-0000-4000-8000-000000000000'] })).toEqual([a, c])
    expect(await idsOf({ messageIds: [a, c], who: 'ann' })).toEqual([a])
    expect(await idsOf({ recordedFrom: at, recordedTo: new Date(at.getTime() + 1) })).toEqual([c])
    expect(await idsOf({ recordedTo: at })).toEqual([])
  })

  it('take any text for what it is', async () => {
    const portalId = `o'brien"%_\\; DROP TABLE outbox_message --`
    await scene.connect(outbox, { portalId })
    const who = `x' OR '1'='1`
    const [id] = await record({ portalId, userId: who })
    await record({ portalId, userId: 'somebody' })
    expect(await idsOf({ portalId, who })).toEqual([id])
    expect(await idsOf({ portalId: '%' })).toEqual([])
    expect(await idsOf({ who: '%' })).toEqual([])
  })

  it('that are rare are looked for a bounded number of rows at a time, and all found', async () => {
    const { portalId, source } = await scene.connect(outbox)
    const rare = [...(await record({ portalId, userId: 'u' }))]
    await scene.rows(
      `INSERT INTO outbox_message (message_id, source_id, portal_id, type, user_id, body, wire_bytes, occurred_at)
       SELECT gen_random_uuid(), $1, $2, 'page', 'u', '{}', 0, now() FROM generate_series(1, 5000)`,
      [source.sourceId, portalId],
    )
    rare.unshift(...(await record({ portalId, userId: 'u' })))
    const first = await outbox.inspect.messages({ event: 'Began Test' })
    expect(first).toMatchObject({ partial: true, next: expect.any(String) })
    expect(first.messages.map(({ messageId }) => messageId)).toEqual(rare.slice(0, 1))
    expect((await allPages({ event: 'Began Test' }, 50)).flat()).toEqual(rare)
    expect((await allPages({ event: 'Began Test', who: 'u' }, 50)).flat()).toEqual(rare)
  })

  it.each([
    ['a cursor that is none', {}, { after: 'x' }],
    ['a cursor with something else in it', {}, { after: Buffer.from("1 ' OR true").toString('base64url') }],
    [
      'a cursor of a moment that is none',
      {},
      { after: Buffer.from(`9e9 ${'0'.repeat(36)}`).toString('base64url') },
    ],
    ['a page of no length', {}, { limit: 0 }],
    ['a page that is too long', {}, { limit: 501 }],
    ['a status there is not', { status: `dead' OR true --` }, {}],
    ['a source that is no id', { sourceId: 'x' }, {}],
    ['a moment that is none', { recordedFrom: new Date('x') }, {}],
    ['ids that are none', { messageIds: ['x'] }, {}],
    ['a text that no row can hold', { who: 'a\0' }, {}],
  ])('refuse %s', async (_, filter, page) => {
    await expect(outbox.inspect.messages(filter as never, page)).rejects.toThrow(OperationError)
  })
})
