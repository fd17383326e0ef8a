import { type ConsoleWorld, createConsoleWorld } from './console-world'

let world: ConsoleWorld
beforeEach(async () => {
  world = await createConsoleWorld()
})
afterEach(() => world.end())

const start = async (fields: Record<string, string>, user = 'olga') => {
  const answer = await world.post('/operations', { why: 'INC-42', ...fields }, { 'x-user': user })
  expect(answer.status).toBe(303)
  return (answer.headers.get('location') ?? '').replace('/outbox', '')
}
/** Looks at an operation's page until it says what is waited for. */
const until = async (path: string, words: RegExp) => {
  for (const deadline = Date.now() + 20_000; ; ) {
    const { text } = await world.get(path)
    if (words.test(text)) return text
    if (Date.now() > deadline) throw new Error(`It never said ${words}: ${text}`)
  }
}
const statuses = () =>
  world.scene.rows(`SELECT status, count(*)::int AS n FROM outbox_message GROUP BY 1 ORDER BY 1`)

/** Messages that Segment refused, more than one statement changes. */
async function manyDead(n: number): Promise<void> {
  const { sourceId } = world.portal.source
  const [batch] = await world.scene.rows<{ id: string }>(
    `INSERT INTO outbox_batch (first_seq, last_seq, lease_token, source_id, wire_bytes, outcome, settled_at, message_ids)
     VALUES (1, 1, 1, $1, 100, 'dead', now(), ARRAY[gen_random_uuid()]) RETURNING batch_id AS id`,
    [sourceId],
  )
  await world.scene.rows(
    `INSERT INTO outbox_message (message_id, source_id, batch_id, occurred_at, settled_at, wire_bytes, status, type,
                                 event, portal_id, user_id, reason, body)
     SELECT gen_random_uuid(), $1, $2, now(), now(), 100, 'dead', 'track', 'Began Test', 'meridian', 'u', 'refused', '{}'
     FROM generate_series(1, $3)`,
    [sourceId, batch?.id, n],
  )
}

it('shows how far a long one is, survives a look and another look, and cancels what is left', async () => {
  await manyDead(2500)
  const other = world.scene.dataSource.createQueryRunner()
  await other.startTransaction()
  await other.query(
    `SELECT FROM outbox_message WHERE seq = (SELECT seq FROM outbox_message ORDER BY seq OFFSET 1500 LIMIT 1) FOR UPDATE`,
  )

  const path = await start({ choice: 'send-again', portalId: 'meridian' })
  const running = await until(path, /1,000 of 2,500 messages/)
  expect(running).toContain('http-equiv="refresh"')
  expect(running).toContain('<progress max="2500" value="1000"')
  await until(path, /1,000 of 2,500 messages/)
  expect((await world.get(path, { 'x-user': 'rita' })).text).not.toContain('Cancel what is left')

  expect((await world.post(`${path}/cancel`, {})).status).toBe(303)
  await other.rollbackTransaction()
  await other.release()
  const ended = await until(path, /Cancelled:/)
  expect(ended).toContain('2,000 messages queued to be sent again')
  expect(ended).not.toContain('http-equiv="refresh"')
  expect(await statuses()).toEqual([
    { status: 'dead', n: 500 },
    { status: 'pending', n: 2000 },
  ])
  expect(await world.scene.rows('SELECT actor, reason, messages FROM outbox_audit')).toEqual(
    Array(2).fill({ actor: 'olga', reason: 'INC-42', messages: 1000 }),
  )
})

it('tells of one that fails, keeps its details from the page, and hands them to the application', async () => {
  await manyDead(3)
  await world.scene.rows(`ALTER TABLE outbox_audit ADD CONSTRAINT not_oskar CHECK (actor <> 'oskar')`)
  const path = await start({ choice: 'send-again', portalId: 'meridian' }, 'oskar')
  const text = await until(path, /It failed/)
  expect(text).not.toContain('not_oskar')
  expect(world.errors).toEqual([expect.objectContaining({ message: expect.stringContaining('not_oskar') })])
  expect(await statuses()).toEqual([{ status: 'dead', n: 3 }])
})

it('does with a group what was reviewed, and nothing to its neighbours', async () => {
  const [one, two] = [await world.dead('user-1'), await world.uncertain('user-2')]
  await manyDead(2)
  const { text } = await world.get('/failures')
  const reviews = [...text.matchAll(/href="\/outbox(\/review\?[^"]+)"/g)].map(
    ([, path]) => path?.replaceAll('&amp;', '&') ?? '',
  )
  expect(reviews).toHaveLength(3)
  const group = reviews.find((path) => path.includes('reason=refused&')) ?? ''
  expect((await world.get(group)).text).toMatch(/Refused.*2.*Segment said no/s)
  const fields = Object.fromEntries(new URL(group, 'http://x').searchParams)
  await until(await start({ ...fields, choice: 'discard' }), /Done: 2 messages discarded/)
  const left = await world.scene.rows<{ id: string }>(
    `SELECT message_id AS id FROM outbox_message WHERE status IN ('dead', 'uncertain') ORDER BY seq`,
  )
  expect(left.map(({ id }) => id)).toEqual([one, two])
})

it('says of one that another process runs where to look instead', async () => {
  const { status, text } = await world.get('/operations/0190163d-8694-739b-aea5-966c26f8ad91')
  expect(status).toBe(404)
  expect(text).toContain('This process knows of no such operation')
})
