import http from 'node:http'
import type net from 'node:net'
import { createAgent, type ExchangeRequest, exchange, type Observation } from '../../src/segment/http-client'
import { http as answer, closedPort, type RawServer, type Script, startRawServer, until } from './raw-server'

const SUCCESS = '{"success":true}'

let server: RawServer
let agents: http.Agent[]

beforeEach(() => serve({}))
beforeEach(() => {
  agents = []
})
afterEach(async () => {
  for (const agent of agents) agent.destroy()
  await server.close()
})

/** Starts the server; what it had been told before no longer holds. */
async function serve(script: Script): Promise<void> {
  await server?.close()
  server = await startRawServer(script)
}
/** Sends one request to the server; 5 s is for what has to end by itself, and never waited for. */
function post(request: Partial<ExchangeRequest> = {}): Promise<Observation> {
  return exchange({ method: 'POST', url: server.url, headers: {}, body: '{}', timeoutMs: 5000, ...request })
}
function keepAlive(maxSockets = 4): http.Agent {
  const agent = createAgent(server.url, maxSockets)
  agents.push(agent)
  return agent
}

describe('before a byte of the request can have left', () => {
  const unwritten = (code: string | RegExp) => ({
    kind: 'error',
    code: expect.stringMatching(code),
    written: false,
  })

  it('a refused connection', async () => {
    const url = `http://127.0.0.1:${await closedPort()}`
    expect(await post({ url })).toMatchObject(unwritten('ECONNREFUSED'))
  })

  it.each([
    ['at once', (fail: () => void) => fail()],
    ['later', (fail: () => void) => void setImmediate(fail)],
  ])('a name that does not resolve, told %s', async (_, when) => {
    const error = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })
    const lookup: net.LookupFunction = (_, __, done) => when(() => done(error, ''))
    const agent = new http.Agent({ lookup })
    expect(await post({ url: 'http://api.example', agent })).toMatchObject(unwritten('ENOTFOUND'))
  })

  it('a name that does not resolve in time', async () => {
    const agent = new http.Agent({ lookup: () => {} })
    const seen = await post({ url: 'http://api.example', agent, timeoutMs: 20 })
    expect(seen).toMatchObject({ ...unwritten('TIMEOUT'), message: 'no complete answer within 20 ms' })
  })

  it('an address that is none', async () => {
    expect(await post({ url: 'http://' })).toMatchObject(unwritten('ERR_INVALID_URL'))
    expect(await post({ url: 'ftp://127.0.0.1' })).toMatchObject(unwritten('ERR_INVALID_PROTOCOL'))
  })

  it('a header that cannot be sent', async () => {
    expect(await post({ headers: { 'X-Key': 'a\nb' } })).toMatchObject(unwritten('ERR_INVALID_CHAR'))
    expect(server.connections).toBe(0)
  })

  it('given up before it began', async () => {
    expect(await post({ signal: AbortSignal.abort() })).toMatchObject(unwritten('ABORTED'))
    expect(server.connections).toBe(0)
  })

  it.each(['TIMEOUT', 'ABORTED'])('%s while it waits for a place in the pool', async (code) => {
    const agent = keepAlive(1)
    const abort = new AbortController()
    const first = post({ agent, signal: abort.signal })
    await until(() => server.requests.length === 1, 'the first request takes the place')
    const giveUp = new AbortController()
    const second = post({ agent, timeoutMs: code === 'TIMEOUT' ? 20 : 5000, signal: giveUp.signal })
    if (code === 'ABORTED') giveUp.abort()
    expect(await second).toMatchObject(unwritten(code))
    abort.abort()
    await first
    // Node 24 opens a connection for a request that was given up while it waited, and keeps it for the next one.
    const enough = new AbortController()
    const third = post({ agent, body: 'the next', signal: enough.signal })
    await until(() => server.requests.length === 2, 'the next request arrives')
    expect(server.requests[1]).toContain('the next')
    enough.abort()
    await third
    agent.destroy()
    await until(() => server.open === 0, 'all connections are closed')
  })
})

describe('after it may have left', () => {
  const written = (code: string | RegExp) => ({
    kind: 'error',
    code: expect.stringMatching(code),
    written: true,
  })

  it('a reset without an answer', async () => {
    await serve({ whole: (socket) => socket.resetAndDestroy() })
    expect(await post()).toMatchObject(written('ECONNRESET'))
  })

  it('a reset in the middle of the request', async () => {
    await serve({ begun: (socket) => socket.resetAndDestroy() })
    expect(await post({ body: 'x'.repeat(4_000_000) })).toMatchObject(written(/ECONNRESET|EPIPE/))
  })

  it('a connection closed without an answer', async () => {
    await serve({ whole: (socket) => socket.end() })
    expect(await post()).toMatchObject(written('ECONNRESET'))
  })

  it('no answer in time', async () => {
    const seen = await post({ timeoutMs: 1000 })
    expect(seen).toMatchObject({ ...written('TIMEOUT'), message: 'no complete answer within 1000 ms' })
    await until(() => server.open === 0, 'the connection is destroyed')
  })

  it('no answer in time, and a server that never read the request', async () => {
    await serve({ connected: (socket) => socket.pause() })
    expect(await post({ timeoutMs: 1000, body: 'x'.repeat(4_000_000) })).toMatchObject(written('TIMEOUT'))
  })

  it('given up', async () => {
    const abort = new AbortController()
    await serve({ whole: () => abort.abort() })
    expect(await post({ signal: abort.signal })).toMatchObject(written('ABORTED'))
    await until(() => server.open === 0, 'the connection is destroyed')
  })

  it('an answer that is not HTTP', async () => {
    await serve({ whole: (socket) => socket.end('220 mail.example ESMTP\r\n') })
    expect(await post()).toMatchObject(written(/^HPE_/))
  })

  it('headers without an end', async () => {
    await serve({ whole: (socket) => socket.end(answer('200 OK', '', { 'X-Long': 'x'.repeat(100_000) })) })
    expect(await post()).toMatchObject(written('HPE_HEADER_OVERFLOW'))
  })

  it('a switch of protocols that nobody asked for', async () => {
    await serve({
      whole: (socket) =>
        socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
    })
    expect(await post()).toMatchObject(written('CLOSED'))
  })

  it('a reset on a kept-alive connection, which may have been stale or not', async () => {
    await serve({
      whole: (socket, _, n) => (n === 1 ? socket.write(answer('200 OK', SUCCESS)) : socket.resetAndDestroy()),
    })
    const agent = keepAlive()
    expect(await post({ agent })).toMatchObject({ kind: 'response', complete: true })
    expect(await post({ agent })).toMatchObject(written('ECONNRESET'))
    expect(server.connections).toBe(1)
  })
})

describe('answers', () => {
  const response = (status: number, body: string, complete = true) => ({
    kind: 'response',
    status,
    body,
    complete,
  })
  const answering = (text: string) => serve({ whole: (socket) => void socket.end(text) })

  it('a whole one', async () => {
    await answering(answer('200 OK', SUCCESS))
    expect(await post({ headers: { 'X-One': '1' }, body: '{"a":"é"}' })).toEqual({
      ...response(200, SUCCESS),
      headers: {},
      ms: expect.any(Number),
    })
    expect(server.requests[0]).toMatch(/^POST \/ HTTP\/1\.1\r\n/)
    expect(server.requests[0]).toContain('X-One: 1\r\n')
    expect(server.requests[0]).toContain('Content-Length: 10\r\n')
    expect(server.requests[0]).toContain('Accept-Encoding: identity\r\n')
  })

  it('keeps of the headers what bears on the outcome, and no secret that another may echo', async () => {
    await answering(
      answer('429 Too Many Requests', '', {
        Date: 'Sun, 01 Mar 2026 09:00:00 GMT',
        'Retry-After': '7',
        'X-RateLimit-Reset': '9',
        'X-Echo': 'Basic c2VjcmV0Og==',
      }),
    )
    expect(await post()).toMatchObject({
      headers: {
        date: 'Sun, 01 Mar 2026 09:00:00 GMT',
        'retry-after': '7',
        'x-ratelimit-reset': '9',
      },
    })
  })

  it('after 103 Early Hints and 100 Continue', async () => {
    await answering(
      `HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n${answer('200 OK', SUCCESS)}`,
    )
    expect(await post()).toMatchObject(response(200, SUCCESS))
  })

  it('in chunks, one of them ending within a character', async () => {
    await serve({
      whole: (socket) => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
        socket.write(Buffer.from('1\r\n\xc3\r\n', 'latin1'))
        socket.end(Buffer.from('1\r\n\xa9\r\n0\r\n\r\n', 'latin1'))
      },
    })
    expect(await post()).toMatchObject(response(200, 'é'))
  })

  it('without a length, ended by the end of the connection', async () => {
    await answering(`HTTP/1.1 200 OK\r\n\r\n${SUCCESS}`)
    expect(await post()).toMatchObject(response(200, SUCCESS))
  })

  it.each([
    ['closed before the promised length', answer('200 OK', SUCCESS, { 'Content-Length': '17' }), SUCCESS],
    ['closed between chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n', '{}'],
    ['with a broken chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', ''],
    ['closed after the headers', 'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n', ''],
  ])('%s: not complete', async (_, text, body) => {
    await answering(text)
    expect(await post()).toMatchObject(response(200, body, false))
  })

  it('reset in the middle: not complete', async () => {
    await serve({
      whole: (socket) =>
        socket.write(answer('200 OK', '{"suc', { 'Content-Length': '16' }), () => socket.resetAndDestroy()),
    })
    expect(await post()).toMatchObject({ kind: 'response', status: 200, complete: false })
  })

  it('stalled in the middle: not complete, and the connection destroyed', async () => {
    await serve({
      whole: (socket) => void socket.write(answer('200 OK', '{"suc', { 'Content-Length': '16' })),
    })
    expect(await post({ timeoutMs: 100 })).toMatchObject(response(200, '{"suc', false))
    await until(() => server.open === 0, 'the connection is destroyed')
  })

  it('without an end: cut at 1 MiB, and the connection destroyed', async () => {
    const pour = (socket: { write(text: string, done: (error?: Error | null) => void): void }): void =>
      socket.write('x'.repeat(65_536), (error) => error ?? pour(socket))
    await serve({
      whole: (socket) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        pour(socket)
      },
    })
    const seen = await post()
    expect(seen).toMatchObject({ kind: 'response', status: 200, complete: false })
    expect((seen as { body: string }).body.length).toBeLessThanOrEqual(1_048_576)
    await until(() => server.open === 0, 'the connection is destroyed')
  })

  it.each([301, 302, 303, 307, 308])('%i is not followed', async (status) => {
    await answering(answer(`${status} Elsewhere`, '', { Location: '/elsewhere' }))
    expect(await post()).toMatchObject(response(status, ''))
    expect(server.requests).toHaveLength(1)
  })

  it('the first counts of two', async () => {
    await answering(answer('500 Oops') + answer('200 OK', SUCCESS))
    expect(await post({ agent: keepAlive() })).toMatchObject(response(500, ''))
  })
})

describe('an answer that comes before the request was read', () => {
  const body = 'x'.repeat(8_000_000)

  it('and closes: it counts', async () => {
    await serve({
      begun: (socket) => {
        socket.pause()
        socket.end(answer('413 Content Too Large', 'too large', { Connection: 'close' }))
      },
    })
    expect(await post({ body })).toMatchObject({ kind: 'response', status: 413 })
  })

  it('and never reads on: the connection is not held, and never used for another request', async () => {
    await serve({
      begun: (socket) => {
        socket.pause()
        socket.write(answer('413 Content Too Large', 'too large'))
      },
    })
    const agent = keepAlive(1)
    expect(await post({ body, agent })).toMatchObject({ kind: 'response', status: 413, complete: true })
    expect(await post({ body, agent })).toMatchObject({ kind: 'response', status: 413, complete: true })
    expect(server.connections).toBe(2)
  })
})

describe('kept-alive connections', () => {
  const answering = (headers: Record<string, string>) =>
    serve({ whole: (socket) => void socket.write(answer('200 OK', SUCCESS, headers)) })

  it.each([
    ['no hint', {}],
    ['a hint of 5 s, as Node gives it', { 'Keep-Alive': 'timeout=5' }],
    ['a hint of 60 s', { 'Keep-Alive': 'timeout=60, max=100' }],
  ])('are used again: %s', async (_, headers) => {
    await answering(headers)
    const agent = keepAlive()
    for (let n = 0; n < 3; n++) expect(await post({ agent })).toMatchObject({ complete: true })
    expect(server.connections).toBe(1)
  })

  it.each([
    ['as the server says', { Connection: 'close' }],
    ['that would end before our own limit', { 'Keep-Alive': 'timeout=4' }],
    ['that are as good as closed', { 'Keep-Alive': 'max=1, timeout=0' }],
  ])('are not used again: those %s', async (_, headers) => {
    await answering(headers)
    const agent = keepAlive()
    for (let n = 0; n < 3; n++) expect(await post({ agent })).toMatchObject({ complete: true })
    expect(server.connections).toBe(3)
  })

  it('are given up when idle, sooner than any server does', () => {
    for (const url of ['http://a.example', 'https://a.example']) {
      const { options } = createAgent(url, 1) as unknown as { options: http.AgentOptions }
      expect(options.timeout).toBeLessThan(5000)
    }
  })

  it('are no more than the pool allows', async () => {
    await answering({})
    const agent = keepAlive(2)
    await Promise.all(Array.from({ length: 20 }, () => post({ agent })))
    expect(server.connections).toBe(2)
    expect(server.requests).toHaveLength(20)
  })

  it('are not kept without a pool', async () => {
    await answering({})
    await post()
    await until(() => server.open === 0, 'the connection is closed')
    expect(server.requests[0]).toContain('Connection: close')
  })
})
