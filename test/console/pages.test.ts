import { random } from '../support/scene'
import { type ConsoleWorld, createConsoleWorld } from './console-world'

let world: ConsoleWorld
const withWorld = (each: typeof beforeEach, after: typeof afterEach) => {
  each(async () => {
    world = await createConsoleWorld()
  })
  after(() => world.end())
}
/** For tests that only look. */
const withOneWorld = () => withWorld(beforeAll, afterAll)
const withAWorldEach = () => withWorld(beforeEach, afterEach)

/** The page's text as a person reads it, without markup. */
const read = async (path: string) => {
  const { text } = await world.get(path)
  return text
    .replace(/<style.*?<\/style>|<[^>]+>/gs, ' ')
    .replaceAll('&#39;', "'")
    .replace(/\s+/g, ' ')
}
const linksTo = (text: string, pattern: RegExp) =>
  [...text.matchAll(/href="([^"]+)"/g)]
    .map(([, address]) => (address ?? '').replaceAll('&amp;', '&'))
    .filter((address) => pattern.test(address))
    .map((address) => address.replace('/outbox', ''))

describe('an empty outbox', () => {
  withOneWorld()

  it.each([
    ['', /Backlog 0 messages wait.*nothing waits.*nothing was settled.*No process dispatches/],
    ['/messages', /Nothing is recorded yet/],
    ['/messages?portalId=elsewhere', /No message matches/],
    ['/failures', /Nothing is dead or uncertain/],
    ['/audit', /Nobody has changed anything yet/],
    ['/sources?portalId=elsewhere', /No source matches/],
    ['/review?portalId=meridian', /There is nothing to do/],
  ])('says so at "%s"', async (path, words) => {
    expect(await read(path)).toMatch(words)
  })

  it('tells that no portal is connected', async () => {
    await world.scene.rows('DELETE FROM segment_source')
    expect(await read('')).toContain('No portal is connected to Segment yet')
    expect(await read('/sources')).toContain('No portal is connected to Segment yet')
  })
})

describe('messages', () => {
  withAWorldEach()

  it('are shown page by page, each once, the newest first', async () => {
    await world.scene.dataSource.transaction((tx) =>
      world.outbox.record(
        tx,
        Array.from({ length: 120 }, (_, i) => ({
          type: 'track' as const,
          event: 'Began Test' as const,
          portalId: 'meridian',
          userId: `user-${i}`,
          properties: { testId: 't', attemptId: random(), attemptNumber: 1 },
        })),
      ),
    )
    const seen: string[] = []
    const sizes: number[] = []
    for (let next: string | undefined = '/messages?event=Began+Test'; next; ) {
      const { text } = await world.get(next)
      const ids = linksTo(text, /\/messages\/[0-9a-f-]{36}$/)
      sizes.push(ids.length)
      seen.push(...ids)
      next = linksTo(text, /\/messages\?.*after=/)[0]
      if (next) expect(next).toContain('event=Began+Test')
    }
    expect(sizes).toEqual([50, 50, 20])
    expect(new Set(seen).size).toBe(120)
    const newest = await world.scene.rows<{ id: string }>(
      'SELECT message_id AS id FROM outbox_message ORDER BY recorded_at DESC, message_id DESC LIMIT 1',
    )
    expect(seen[0]).toBe(`/messages/${newest[0]?.id}`)
  })

  it('are found by every field of the filter, and what was typed stays in it', async () => {
    const wanted = await world.record({ userId: 'user-7' })
    const dead = await world.dead('user-8')
    await world.scene.connect(world.outbox, { portalId: 'northwind' })
    const other = await world.record({ portalId: 'northwind', userId: 'user-9' })
    const found = async (query: string) => {
      const { text } = await world.get(`/messages?${query}`)
      return linksTo(text, /\/messages\/[0-9a-f-]{36}$/).map((address) => address.split('/').at(-1))
    }
    expect(await found('portalId=northwind')).toEqual([other])
    expect(await found('who=user-7')).toEqual([wanted])
    expect(await found('status=dead')).toContain(dead)
    expect(await found('event=Submitted+Test')).toEqual([])
    expect(await found('type=identify')).toEqual([])
    expect(await found('recordedTo=2020-01-01T00:00')).toEqual([])
    expect((await found('recordedFrom=2020-01-01T00:00&recordedTo=')).length).toBe(3)
    const { text } = await world.get('/messages?who=user-7&status=pending&recordedFrom=2026-01-02T03:04:05')
    expect(text).toContain('name="who" value="user-7"')
    expect(text).toMatch(/<option selected>pending/)
    expect(text).toContain('value="2026-01-02T03:04:05"')
  })

  it('are gone straight to by their id', async () => {
    const messageId = await world.record()
    const answer = await world.get(`/messages?portalId=&messageId=+${messageId}+`)
    expect([answer.status, answer.headers.get('location')]).toEqual([303, `/outbox/messages/${messageId}`])
  })

  it('are explained, with their timeline and payload, the reason first', async () => {
    const messageId = await world.uncertain('user-1')
    const text = await read(`/messages/${messageId}`)
    const order = [
      'Began Test uncertain',
      'Segment may have it since',
      'Look for its messageId in the portal’s warehouse',
      'Send again …',
      'Recorded, in the transaction of the business change',
      'no usable answer, Segment may have it',
      'Uncertain:',
      '&quot;attemptNumber&quot;: 1',
      'Its batch',
    ].map((words) => text.indexOf(words))
    expect(order).not.toContain(-1)
    expect(order).toEqual([...order].sort((a, b) => a - b))
  })
})

describe('what cannot be meant', () => {
  withOneWorld()

  it.each([
    '/messages?status=gone',
    '/messages?type=event',
    '/messages?recordedFrom=yesterday',
    '/messages?after=invented',
    '/messages?portalId=%00',
    '/messages?sourceId=1',
    '/sources?health=bad',
    '/audit?before=last',
    '/audit?sourceId=1',
    '/failures?sourceId=1',
    '/review',
    '/review?messageIds=1,2',
    '/review?portalId=%00',
  ])('is said in three parts: %s', async (path) => {
    const { status, text } = await world.get(path)
    expect(status).toBe(400)
    expect(text).toMatch(
      /<h1>That cannot be done<\/h1>.*class="why">.+<\/p>\s*<p>.+<\/p>\s*<p><strong>What to do:<\/strong> .+/s,
    )
  })

  it.each([
    '/messages/nothing',
    '/messages/0190163d-8694-739b-aea5-966c26f8ad91',
    '/messages/%00',
    '/sources/nothing',
  ])('is not found where it is an address of nothing: %s', async (path) => {
    const { status, text } = await world.get(path)
    expect(status).toBe(404)
    expect(text).toContain('Not found')
  })

  it('changes nothing: an operation without a reason, a choice or a selection, an unknown change of a source', async () => {
    await world.dead()
    const given = { choice: 'discard', portalId: 'meridian', why: 'because' }
    const { sourceId } = world.portal.source
    const answers = [
      await world.post('/operations', { ...given, why: ' ' }),
      await world.post('/operations', { ...given, choice: 'everything' }),
      await world.post('/operations', { ...given, portalId: '' }),
      await world.post(`/sources/${sourceId}/explode`, { why: 'because' }),
      await world.post(`/sources/${sourceId}/pause`, { why: '' }),
      await world.post('/sources/0190163d-8694-739b-aea5-966c26f8ad91/pause', { why: 'because' }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400, 400])
    expect(await read('/audit')).toContain('Nobody has changed anything yet')
    expect(world.errors).toEqual([])
  })
})

describe('trouble', () => {
  withAWorldEach()

  it('is on the overview: lag, the dead, and the source with its remedy', async () => {
    await world.dead()
    world.scene.segment.fault({ kind: 'status', status: 503 })
    await world.record()
    await world.outbox.drain()
    await world.scene.rows(
      `UPDATE outbox_message SET recorded_at = now() - interval '3 hours' WHERE status = 'pending'`,
    )
    const text = await read('')
    expect(text).toMatch(/Backlog 1 message waits/)
    expect(text).toMatch(/Lag 3 h the oldest has waited/)
    expect(text).toMatch(/Dead 1 refused, or never sendable/)
    expect(text).toMatch(/meridian failing/)
  })

  it('of the database is a page that says so, and passes', async () => {
    await world.scene.dataSource.destroy()
    for (const path of ['', '/messages', '/failures', '/audit']) {
      const { status, text } = await world.get(path)
      expect(status).toBe(503)
      expect(text).toContain('The database does not answer')
      expect(text).toContain('http-equiv="refresh"')
    }
    expect(world.errors).toHaveLength(4)
    await world.scene.dataSource.initialize()
    expect((await world.get('')).status).toBe(200)
  })

  it('that nobody foresaw is a page without its details', async () => {
    await world.scene.rows('ALTER TABLE outbox_audit RENAME TO elsewhere')
    const { status, text } = await world.get('/audit')
    expect(status).toBe(500)
    expect(text).toContain('This page failed')
    expect(text).not.toContain('outbox_audit')
    expect(world.errors).toHaveLength(1)
  })
})

describe('the plots', () => {
  withOneWorld()

  it('show what was sent in each span, with axes and numbers', async () => {
    await world.record()
    await world.outbox.drain()
    const { text } = await world.get('')
    expect(text.match(/<svg /g)).toHaveLength(5)
    expect(text).toMatch(
      /aria-label="Messages a minute: dead, uncertain, delivered from [\d: -]+ to [\d: -]+ UTC; highest 1\/min"/,
    )
    expect(text).toMatch(/UTC\ndead 0\/min\nuncertain 0\/min\ndelivered 1\/min<\/title>/)
    expect(text).toMatch(/median \d+ ms\np95 \d+ ms<\/title>/)
    expect(text).not.toMatch(/NaN|undefined|Infinity/)
  })

  it('show backlog and lag, minute by minute, and not for one source, which has no history of them', async () => {
    const { text: before } = await world.get('')
    expect(before).toMatch(/aria-label="Backlog: [^"]+; no process dispatched"/)
    await world.scene.rows(
      `INSERT INTO outbox_sample (at, pending, lag_ms) VALUES (date_trunc('minute', now()) - interval '9 minutes', 0, 0)`,
    )
    expect((await world.get('')).text).toMatch(/aria-label="Lag: [^"]+; nothing waited"/)
    await world.scene.rows(
      `INSERT INTO outbox_sample (at, pending, lag_ms)
       VALUES (date_trunc('minute', now()) - interval '5 minutes', 1234, 185000)`,
    )
    const { text } = await world.get('')
    expect(text).toMatch(/aria-label="Backlog: [^"]+; highest 1,234"/)
    expect(text).toMatch(/aria-label="Lag: [^"]+; highest 3 min 5 s"/)
    expect(text).toMatch(/UTC\nwaiting 1,234<\/title>/)
    expect(text).toMatch(/UTC\noldest waiting 3 min 5 s<\/title>/)
    expect(text).toMatch(/UTC\noldest waiting –<\/title>/)
    expect(text).not.toMatch(/NaN|undefined|Infinity/)
    const source = await world.get(`/sources/${world.portal.source.sourceId}`)
    expect(source.text.match(/<svg /g)).toHaveLength(3)
    expect(source.text).not.toContain('oldest waiting')
  })

  it.each([
    ['1h', 60],
    ['24h', 72],
    ['7d', 84],
    ['forever', 60],
    ['toString', 60],
  ])('span %s', async (range, spans) => {
    const { text } = await world.get(`?range=${range}`)
    expect(text.match(/class="span"/g)).toHaveLength(5 * spans)
  })

  it('are loaded again by themselves only where somebody asks for it', async () => {
    expect((await world.get('')).text).not.toContain('http-equiv="refresh"')
    const { text } = await world.get('?range=24h&live=yes')
    expect(text).toContain('http-equiv="refresh" content="10"')
    expect(text).toContain('range=24h&amp;live=no')
  })
})
