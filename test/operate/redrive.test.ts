import { OperationError, type Outbox } from 'synap-outbox'
import { beganTest, type Connected, createScene, type Scene } from '../support/scene'

let scene: Scene
let outbox: Outbox
let portal: Connected

beforeEach(async () => {
  scene = await createScene()
  outbox = scene.outbox()
  portal = await scene.connect(outbox)
})
afterEach(() => scene.end())

const by = { actor: 'olga', reason: 'after the outage' }
const record = async (attemptId?: string) =>
  scene.dataSource.transaction((tx) =>
    outbox.track(tx, 'Began Test', {
      portalId: portal.portalId,
      userId: 'u',
      properties: beganTest(attemptId),
    }),
  )
const states = async () =>
  (
    await scene.rows<{ state: string }>(
      `SELECT status || ': ' || coalesce(reason, '-') AS state FROM outbox_message ORDER BY seq`,
    )
  ).map(({ state }) => state)
const audit = () =>
  scene.rows('SELECT actor, action, reason, messages, selection FROM outbox_audit ORDER BY audit_id')
/** A message that Segment has, and that the outbox cannot know of: the window passed after a lost answer. */
const uncertain = async (attemptId?: string) => {
  const { messageId } = await record(attemptId)
  await scene.loseAnswers(outbox)
  return messageId as string
}

describe('redrive', () => {
  it('sends dead messages again under their ids, in their order, behind what waits', async () => {
    const refused = scene.segment.fault({ kind: 'poison', predicate: () => true })
    const ids = [(await record('a')).messageId, (await record('b')).messageId, (await record('c')).messageId]
    await outbox.drain()
    await refused.clear()
    const waiting = await record('d')
    expect(await outbox.redrive({ portalId: portal.portalId }, by)).toEqual({ redriven: 3, marked: 0 })
    await outbox.drain()
    expect(scene.segment.accepted().map(({ messageId }) => messageId)).toEqual([waiting.messageId, ...ids])
    expect(await states()).toEqual(Array(4).fill('delivered: -'))
    expect(await audit()).toEqual([
      { ...by, action: 'send again', messages: 3, selection: { portalId: portal.portalId } },
    ])
  })

  it('leaves diverted messages dead: they were never sendable', async () => {
    await scene.dataSource.transaction((tx) =>
      outbox.track(tx, 'Began Test', { portalId: portal.portalId, userId: 'u', properties: {} as never }),
    )
    expect(await outbox.redrive({ portalId: portal.portalId }, { ...by, inDoubt: 'send-again' })).toEqual({
      redriven: 0,
      marked: 0,
    })
    expect(await audit()).toEqual([])
  })

  it('demands a choice for uncertain messages', async () => {
    const messageId = await uncertain()
    expect(await states()).toEqual([expect.stringMatching(/^uncertain: .*dedup window of 23 h is over/)])
    expect(await outbox.redrive({ messageIds: [messageId] }, by)).toEqual({ redriven: 0, marked: 0 })

    const marked = { ...by, inDoubt: 'mark-delivered' as const }
    expect(await outbox.redrive({ messageIds: [messageId] }, marked)).toEqual({ redriven: 0, marked: 1 })
    expect(await states()).toEqual(['delivered: marked delivered by olga: after the outage'])
    expect(await outbox.drain()).toMatchObject({ requests: 0 })
    expect(await audit()).toEqual([expect.objectContaining({ action: 'mark delivered', messages: 1 })])
  })

  it('sends uncertain messages again when told to', async () => {
    const messageId = await uncertain()
    const again = { ...by, inDoubt: 'send-again' as const }
    expect(await outbox.redrive({ messageIds: [messageId] }, again)).toEqual({ redriven: 1, marked: 0 })
    await outbox.drain()
    expect(await states()).toEqual(['delivered: -'])
    expect(new Set(scene.segment.duplicates().map((duplicate) => duplicate.messageId))).toEqual(
      new Set([messageId]),
    )
  })

  it('also demands a choice for a dead message with an attempt that nobody knows the outcome of', async () => {
    const { messageId } = await record()
    scene.segment.fault([{ kind: 'reset-after-accept' }, { kind: 'status', status: 400 }])
    for (let i = 0; i < 2; i++) {
      await scene.rows(`UPDATE source_delivery SET resume_at = '-infinity'`)
      await outbox.drain()
    }
    expect(await states()).toEqual([expect.stringMatching(/^dead: Segment refused it/)])
    const selection = { messageIds: [messageId as string] }
    expect(await outbox.redrive(selection, by)).toEqual({ redriven: 0, marked: 0 })
    expect(await outbox.redrive(selection, { ...by, inDoubt: 'mark-delivered' })).toEqual({
      redriven: 0,
      marked: 1,
    })
  })

  it.each([
    ['an empty selection', {}, by],
    ['an unknown member', { portal: 'x' }, by],
    ['an id that is none', { messageIds: ["' OR true --"] }, by],
    ['nobody responsible', { portalId: 'p' }, { actor: ' ', reason: 'r' }],
    ['no reason', { portalId: 'p' }, { actor: 'a', reason: '' }],
    ['a choice that is none', { portalId: 'p' }, { ...by, inDoubt: 'maybe' }],
  ])('refuses %s', async (_, selection, options) => {
    await expect(outbox.redrive(selection as never, options as never)).rejects.toThrow(OperationError)
  })
})

describe('discard', () => {
  it('gives up pending, dead and uncertain messages, and nothing that was delivered', async () => {
    await record('delivered')
    await outbox.drain()
    await uncertain('uncertain')
    await record('pending')
    expect(await outbox.discard({ sourceId: portal.source.sourceId }, by)).toEqual({ discarded: 2 })
    expect((await states()).sort()).toEqual([
      'delivered: -',
      'discarded: discarded by olga: after the outage',
      'discarded: discarded by olga: after the outage',
    ])
    expect(await outbox.drain()).toMatchObject({ requests: 0 })
    expect((await audit()).map(({ action, messages }) => [action, messages])).toEqual([
      ['discard', 1],
      ['discard', 1],
    ])
  })

  it('leaves pending messages that Segment may have to their end', async () => {
    await record()
    const lost = scene.segment.fault({ kind: 'reset-after-accept' })
    await outbox.drain()
    await lost.clear()
    expect(await outbox.discard({ portalId: portal.portalId }, by)).toEqual({ discarded: 0 })
    await scene.rows(`UPDATE source_delivery SET resume_at = '-infinity'`)
    expect(await outbox.drain()).toMatchObject({ delivered: 1 })
  })

  it('takes messages out of an open batch that Segment certainly has not', async () => {
    const kept = await record('kept')
    const gone = await record('gone')
    const refused = scene.segment.fault({ kind: 'status', status: 429 })
    await outbox.drain()
    await refused.clear()
    expect(await outbox.discard({ messageIds: [gone.messageId as string] }, by)).toEqual({ discarded: 1 })
    await scene.rows(`UPDATE source_delivery SET resume_at = '-infinity'`)
    await outbox.drain()
    expect(scene.segment.accepted().map(({ messageId }) => messageId)).toEqual([kept.messageId])
  })

  it('waits for a turn that is under way, and is not doubled by it', async () => {
    const { messageId } = await record()
    scene.segment.fault({ kind: 'delay', ms: 200 })
    const draining = outbox.drain()
    await scene.segment.waitFor((segment) => segment.requests().some((request) => request.method === 'POST'))
    const discarding = outbox.discard({ messageIds: [messageId as string] }, by)
    expect(await discarding).toEqual({ discarded: 0 })
    await draining
    expect(await states()).toEqual(['delivered: -'])
  })
})
