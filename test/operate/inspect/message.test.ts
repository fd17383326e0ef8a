import type { MessageDetail, Outbox } from 'synap-outbox'
import { beganTest, type Connected, createScene, type Scene } from '../../support/scene'

let scene: Scene
let outbox: Outbox
let portal: Connected

beforeEach(async () => {
  scene = await createScene()
  outbox = scene.outbox()
  portal = await scene.connect(outbox)
})
afterEach(() => scene.end())

const by = { actor: 'olga', reason: 'INC-42' }
const record = async (attemptId?: string) => {
  const properties = beganTest(attemptId)
  const call = { portalId: portal.portalId, userId: 'u', properties }
  const { messageId } = await scene.dataSource.transaction((tx) => outbox.track(tx, 'Began Test', call))
  return messageId as string
}
const inspected = async (messageId: string) => (await outbox.inspect.message(messageId)) as MessageDetail
const due = () => scene.rows(`UPDATE source_delivery SET resume_at = '-infinity'`)
const steps = ({ timeline }: MessageDetail) => timeline.map(({ kind, text }) => `${kind}: ${text}`)

describe('a message', () => {
  it('is shown from the fact to its end, with each attempt', async () => {
    const id = await record()
    scene.segment.fault({ kind: 'status', status: 500 }, { times: 1 })
    await outbox.drain()
    await due()
    await outbox.drain()
    const message = await inspected(id)
    expect(message).toMatchObject({
      messageId: id,
      status: 'delivered',
      who: 'u',
      body: { event: 'Began Test' },
      batch: { messages: 1, attemptCount: 2, outcome: 'delivered' },
      source: { portalId: portal.portalId, health: 'healthy' },
    })
    expect(steps(message)).toEqual([
      'occurred: It happened.',
      'recorded: Recorded, in the transaction of the business change.',
      expect.stringMatching(/^batched: Put in batch \d+, alone/),
      expect.stringMatching(
        /^attempt: Attempt 1: no usable answer, Segment may have it, HTTP 500, after .*: HTTP 500/,
      ),
      expect.stringMatching(/^attempt: Attempt 2: accepted, HTTP 200, after \d+ ms$/),
      'settled: Delivered.',
    ])
    expect(message.timeline[3]?.attempt).toMatchObject({ verdict: 'ambiguous', status: 500 })
    expect(message.explanation.why).toMatch(
      /^Segment accepted it at .*, with attempt 2 of batch \d+ in \d+ ms\.$/,
    )
  })

  it('that was isolated from its batch shows how it was split off', async () => {
    await record('good')
    const id = await record('bad')
    scene.segment.fault({ kind: 'poison', predicate: ({ messageId }) => messageId === id })
    await outbox.drain()
    const message = await inspected(id)
    expect(steps(message).filter((step) => step.startsWith('split'))).toEqual([
      expect.stringMatching(/was refused and split to find out why; it went on in batch \d+, alone/),
    ])
    expect(message.explanation).toMatchObject({
      why: expect.stringMatching(/^Segment refused it: HTTP 400/),
      actions: ['send-again', 'discard'],
    })
  })

  it('shows what people did to it', async () => {
    const id = await record()
    await outbox.discard({ messageIds: [id] }, by)
    await outbox.discard({ portalId: 'another' }, by)
    const message = await inspected(id)
    expect(steps(message).at(-1)).toBe(
      'operation: olga: discard, 1 message of a selection that it matches (INC-42)',
    )
    expect(message.explanation).toMatchObject({
      why: expect.stringContaining('discarded by olga: INC-42'),
      actions: [],
    })
  })

  it('waits behind others, in flight, and with nobody to send it', async () => {
    const [first, second] = [await record(), await record()]
    expect((await outbox.inspect.why(first))?.why).toBe('No dispatcher is running, so nobody sends it.')
    await outbox.sources.pause(portal.source.sourceId)
    await outbox.start()
    await outbox.sources.pause(portal.source.sourceId)
    expect((await outbox.inspect.why(first))?.why).toBe('Its source is paused, so it is held.')
    await outbox.stop()
    await scene.rows(`UPDATE segment_source SET status = 'enabled'`)
    await scene.rows(
      `INSERT INTO outbox_dispatcher (owner, interval_ms, version) VALUES ('another', 5000, '1')`,
    )
    expect((await outbox.inspect.why(first))?.why).toBe(
      'It waits for its source’s turn, and is the next to go.',
    )
    expect((await outbox.inspect.why(second))?.why).toBe(
      'It waits for its turn behind 1 message of its source.',
    )

    scene.segment.fault({ kind: 'delay', ms: 300 })
    const draining = outbox.drain()
    await scene.segment.waitFor((segment) => segment.requests().some(({ method }) => method === 'POST'))
    const message = await inspected(first)
    expect(message.explanation.why).toMatch(/^It is on its way to Segment since /)
    expect(message.timeline.at(-1)?.kind).toBe('in-flight')
    await draining
  })

  it('that there is not is undefined, also where its id is none', async () => {
    expect(await outbox.inspect.message('00000000-0000-4000-8000-000000000000')).toBeUndefined()
    expect(await outbox.inspect.why(`' OR true --`)).toBeUndefined()
  })

  it('is explained where its source is gone', async () => {
    const id = await record()
    await scene.rows('DELETE FROM segment_source')
    expect(await outbox.inspect.why(id)).toMatchObject({
      why: 'Its source no longer exists, so nobody can send it.',
      actions: ['discard'],
    })
    expect(await outbox.discard({ messageIds: [id] }, by)).toEqual({ discarded: 1 })
  })
})

describe('failures and previews', () => {
  it('group what failed by its cause, and count what an operation would find', async () => {
    const refused = scene.segment.fault({ kind: 'poison', predicate: () => true })
    await record()
    await record()
    await outbox.drain()
    await refused.clear()
    await scene.dataSource.transaction((tx) =>
      outbox.track(tx, 'Began Test', { portalId: portal.portalId, userId: 'u', properties: {} as never }),
    )
    await record()
    const groups = await outbox.inspect.failures({ portalId: portal.portalId })
    expect(groups.map(({ status, event, messages }) => [status, event, messages])).toEqual([
      ['dead', 'Began Test', 1],
      ['dead', 'Began Test', 2],
    ])
    const [diverted, poison] = groups
    expect(diverted?.reason).toContain('properties.testId')
    expect(await outbox.inspect.preview({ portalId: portal.portalId })).toEqual({
      refused: 2,
      inDoubt: 0,
      diverted: 1,
      pending: 1,
      delivered: 0,
      discarded: 0,
    })
    // A group is a selection of its own.
    const { sourceId, event, reason } = poison as NonNullable<typeof poison>
    const selection = { sourceId, event: event ?? undefined, reason, status: ['dead' as const] }
    expect(await outbox.inspect.preview(selection)).toMatchObject({ refused: 2, diverted: 0, pending: 0 })
    const told: number[] = []
    const redriven = await outbox.redrive(selection, { ...by, onProgress: (done) => told.push(done) })
    expect(redriven).toEqual({ redriven: 2, marked: 0 })
    expect(told).toEqual([2])
  })

  it('do not forget a doubt when the history that shows it was pruned', async () => {
    const id = await record()
    scene.segment.fault([{ kind: 'reset-after-accept' }, { kind: 'status', status: 400 }])
    await outbox.drain()
    await due()
    await outbox.drain()
    await scene.rows('DELETE FROM outbox_batch')
    expect(await outbox.inspect.preview({ messageIds: [id] })).toMatchObject({ refused: 0, inDoubt: 1 })
    expect(await outbox.redrive({ messageIds: [id] }, by)).toEqual({ redriven: 0, marked: 0 })
    expect(await outbox.inspect.why(id)).toMatchObject({
      why: expect.stringContaining('is not known any more'),
      actions: ['send-again', 'mark-delivered', 'discard'],
    })
  })
})

describe('long work', () => {
  it('stops between chunks when told to, and what is done stays done', async () => {
    await scene.rows(
      `INSERT INTO outbox_message (message_id, source_id, portal_id, type, user_id, body, wire_bytes, occurred_at,
         status, reason, settled_at)
       SELECT gen_random_uuid(), $1, 'p', 'page', 'u', '{}', 0, now(), 'uncertain', 'r', now()
       FROM generate_series(1, 2500)`,
      [portal.source.sourceId],
    )
    const stop = new AbortController()
    const told: number[] = []
    const onProgress = (done: number) => {
      told.push(done)
      if (done >= 2000) stop.abort()
    }
    const report = await outbox.discard({ portalId: 'p' }, { ...by, onProgress, signal: stop.signal })
    expect(report).toEqual({ discarded: 2000 })
    expect(told).toEqual([1000, 2000])
    expect((await outbox.inspect.audit()).map(({ action, messages }) => [action, messages])).toEqual([
      ['discard', 1000],
      ['discard', 1000],
    ])
    const [last] = await outbox.inspect.audit({ limit: 1 })
    expect(await outbox.inspect.audit({ before: last?.auditId })).toHaveLength(1)
  })
})
