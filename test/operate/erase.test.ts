import { createHash } from 'node:crypto'
import { OperationError, type Outbox } from 'synap-outbox'
import { beganTest, type Connected, createScene, random, type Scene } from '../support/scene'

let scene: Scene
let outbox: Outbox
let portal: Connected

beforeEach(async () => {
  scene = await createScene()
  outbox = scene.outbox()
  portal = await scene.connect(outbox)
})
afterEach(() => scene.end())

const by = { actor: 'dana', reason: 'request 7 of the data protection officer' }
const PERSON = 'user-to-forget'
const none = { pending: 0, delivered: 0, dead: 0, uncertain: 0, discarded: 0 }

const record = async (who: { userId?: string; anonymousId?: string } = { userId: PERSON }, at = portal) => {
  const call = { portalId: at.portalId, ...who, properties: beganTest(`attempt of ${PERSON} ${random()}`) }
  const { messageId } = await scene.dataSource.transaction((tx) =>
    outbox.track(tx, 'Began Test', call as never),
  )
  return messageId as string
}
const everything = async () => {
  const tables = ['outbox_message', 'outbox_batch', 'outbox_audit', 'source_delivery']
  const rows = await Promise.all(tables.map((table) => scene.rows(`SELECT t::text AS row FROM ${table} t`)))
  return JSON.stringify(rows)
}
const states = () =>
  scene.rows('SELECT status, reason, erased_at IS NOT NULL AS erased, body FROM outbox_message ORDER BY seq')
const due = () => scene.rows(`UPDATE source_delivery SET resume_at = '-infinity'`)

describe('erase', () => {
  it('leaves nothing of a person in any state, and the ids and counts of all', async () => {
    const ids = [await record()]
    await outbox.drain()
    // Refused, by an answer that echoes what was sent.
    const echo = scene.segment.fault({ kind: 'status', status: 400, body: `bad event of ${PERSON}` })
    ids.push(await record())
    await outbox.drain()
    await echo.clear()
    ids.push(await record(), await record(), await record())
    await outbox.discard({ messageIds: ids.slice(2, 3) }, { actor: 'olga', reason: `${PERSON} asked` })
    await scene.rows(
      `UPDATE outbox_message SET status = 'uncertain', reason = 'r', settled_at = now() WHERE message_id = $1`,
      [ids[3]],
    )
    await outbox.redrive({ userId: PERSON }, { actor: 'olga', reason: 'r', inDoubt: 'mark-delivered' })
    await scene.rows(`UPDATE outbox_message SET status = 'uncertain', reason = 'r' WHERE message_id = $1`, [
      ids[3],
    ])
    const kept = await record({ userId: 'somebody-else' })
    const before = await scene.rows(
      'SELECT message_id, event, recorded_at FROM outbox_message ORDER BY message_id',
    )
    expect(await everything()).toContain(PERSON)

    // The second was redriven, and waits.
    const report = await outbox.erase({ userId: PERSON }, by)
    expect(report.erased).toEqual({ ...none, delivered: 1, discarded: 1, uncertain: 1, pending: 2 })
    expect(report).toMatchObject({ left: 0, auditEntries: 2 })

    const after = (await everything()).replaceAll(`${PERSON} asked`, '') // an operator's own words stay
    expect(after.split(PERSON)).toHaveLength(2) // the attemptId of somebody else's call
    expect(
      await scene.rows('SELECT message_id, event, recorded_at FROM outbox_message ORDER BY message_id'),
    ).toEqual(before)
    await outbox.drain()
    expect(scene.segment.accepted().map(({ messageId }) => messageId)).toEqual([ids[0], kept])
    expect(await outbox.erase({ userId: PERSON }, by)).toEqual({ erased: none, left: 0, auditEntries: 0 })
  })

  it('is on record without the id, also where nothing was found', async () => {
    await record()
    await outbox.erase({ userId: PERSON, portalId: portal.portalId }, by)
    await outbox.erase({ anonymousId: 'nobody' }, by)
    const sha256 = (id: string) => createHash('sha256').update(id).digest('hex')
    expect(await outbox.inspect.audit()).toEqual([
      expect.objectContaining({
        ...by,
        action: 'erase',
        messages: 0,
        selection: { anonymousIdSha256: sha256('nobody') },
      }),
      expect.objectContaining({
        ...by,
        action: 'erase',
        messages: 1,
        selection: { userIdSha256: sha256(PERSON), portalId: portal.portalId },
      }),
    ])
  })

  it('is of one portal where asked, and of an anonymous visitor', async () => {
    const other = await scene.connect(outbox)
    await record({ anonymousId: PERSON })
    await record({ anonymousId: PERSON }, other)
    await record({ userId: PERSON, anonymousId: PERSON })
    const report = await outbox.erase({ anonymousId: PERSON, portalId: portal.portalId }, by)
    expect(report.erased).toEqual({ ...none, pending: 2 })
    expect((await states()).map(({ erased }) => erased)).toEqual([true, false, true])
  })

  it('takes a message out of a batch that Segment may have, and says so', async () => {
    const id = await record()
    const kept = await record({ userId: 'k' })
    const gone = scene.segment.fault({ kind: 'reset-after-accept' })
    await outbox.drain()
    await gone.clear()
    const before = scene.segment.duplicates().length
    expect((await outbox.erase({ userId: PERSON }, by)).erased).toEqual({ ...none, pending: 1 })
    expect((await states())[0]).toMatchObject({
      status: 'discarded',
      reason: expect.stringMatching(/^erased while Segment may have had it since 20/),
      body: {},
    })
    await due()
    await outbox.drain()
    const again = scene.segment.duplicates().slice(before)
    expect(again.map(({ messageId }) => messageId)).toEqual([kept])
    expect(await outbox.inspect.why(id)).toMatchObject({
      why: expect.stringMatching(/^Its user’s data was erased at/),
      actions: [],
    })
  })

  it('waits for a request that is out, and then erases what was delivered', async () => {
    await record()
    scene.segment.fault({ kind: 'delay', ms: 200 })
    const draining = outbox.drain()
    await scene.segment.waitFor((segment) => segment.requests().some(({ method }) => method === 'POST'))
    const { erased } = await outbox.erase({ userId: PERSON }, by)
    await draining
    expect(erased).toEqual({ ...none, delivered: 1 })
    expect(await states()).toEqual([{ status: 'delivered', reason: null, erased: true, body: {} }])
  })

  it('keeps a fact the same fact: recorded again, it is not sent', async () => {
    const call = { portalId: portal.portalId, userId: PERSON, properties: beganTest('a') }
    const track = () => scene.dataSource.transaction((tx) => outbox.track(tx, 'Began Test', call))
    await track()
    await outbox.erase({ userId: PERSON }, by)
    expect(await track()).toMatchObject({ outcome: 'duplicate' })
  })

  it('never lets an erased message be sent again or marked', async () => {
    await scene.segment.fault({ kind: 'poison', predicate: () => true })
    const id = await record()
    await outbox.drain()
    await outbox.erase({ userId: PERSON }, by)
    const again = { ...by, inDoubt: 'send-again' as const }
    expect(await outbox.redrive({ messageIds: [id] }, again)).toEqual({ redriven: 0, marked: 0 })
  })

  it('works in chunks, can be stopped, and goes on where it was', async () => {
    await scene.rows(
      `INSERT INTO outbox_message (message_id, source_id, portal_id, type, user_id, body, wire_bytes, occurred_at,
         status, batch_id, settled_at)
       SELECT gen_random_uuid(), $1, 'p', 'page', $2, '{"userId": "x"}', 0, now(), 'delivered', 1, now()
       FROM generate_series(1, 2500)`,
      [portal.source.sourceId, PERSON],
    )
    const stop = new AbortController()
    const first = await outbox.erase(
      { userId: PERSON },
      { ...by, signal: stop.signal, onProgress: () => stop.abort() },
    )
    expect(first.erased).toEqual({ ...none, delivered: 1000 })
    const second = await outbox.erase({ userId: PERSON }, by)
    expect(second.erased).toEqual({ ...none, delivered: 1500 })
  })

  it.each([
    ['nobody', {}, by],
    ['two at once', { userId: 'a', anonymousId: 'b' }, by],
    ['an empty id', { userId: '' }, by],
    ['everything of a portal', { portalId: 'p' }, by],
    ['without anyone responsible', { userId: 'a' }, { actor: '', reason: 'r' }],
  ])('refuses %s', async (_, person, options) => {
    await expect(outbox.erase(person as never, options)).rejects.toThrow(OperationError)
  })
})
