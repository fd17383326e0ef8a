import https from 'node:https'
import type net from 'node:net'
import tls from 'node:tls'
import { exchange } from '../../src/segment/http-client'
import { http as answer, startRawServer, until } from './raw-server'

/** TLS by a shared key: what Segment is asked over, without a certificate to keep valid. */
const psk = {
  ciphers: 'PSK-AES128-GCM-SHA256',
  maxVersion: 'TLSv1.2',
  minVersion: 'TLSv1.2',
} as const
const key = Buffer.alloc(16, 7)

let server: tls.Server
let sockets: Set<net.Socket>
let agent: https.Agent

beforeEach(() => {
  sockets = new Set()
  agent = new https.Agent({
    ...psk,
    keepAlive: true,
    pskCallback: () => ({ psk: key, identity: 'test' }),
    checkServerIdentity: () => undefined,
  })
})
afterEach(async () => {
  agent.destroy()
  for (const socket of sockets) socket.destroy()
  await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()))
})

async function serve(onRequest: (socket: tls.TLSSocket, tcp: net.Socket) => void): Promise<string> {
  let tcp: net.Socket
  server = tls.createServer({ ...psk, pskCallback: () => key }, (socket) => {
    socket.on('error', () => {})
    socket.on('data', () => onRequest(socket, tcp))
  })
  server.on('connection', (socket) => {
    tcp = socket
    sockets.add(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `https://127.0.0.1:${(server.address() as net.AddressInfo).port}`
}

const post = (url: string, timeoutMs = 5000) =>
  exchange({ method: 'POST', url, headers: {}, body: '{}', timeoutMs, agent })

it('a whole answer, and another on the same connection', async () => {
  const url = await serve((socket) => socket.write(answer('200 OK', '{"success":true}')))
  const whole = { kind: 'response', status: 200, body: '{"success":true}', complete: true }
  expect(await post(url)).toMatchObject(whole)
  expect(await post(url)).toMatchObject(whole)
  expect(sockets.size).toBe(1)
})

it('a reset after the handshake: it may have left', async () => {
  const url = await serve((_, tcp) => tcp.resetAndDestroy())
  expect(await post(url)).toMatchObject({ kind: 'error', code: 'ECONNRESET', written: true })
})

it('no answer in time after the handshake: it may have left', async () => {
  const url = await serve(() => {})
  expect(await post(url, 200)).toMatchObject({ kind: 'error', code: 'TIMEOUT', written: true })
})

describe('before the handshake is done, nothing can have left', () => {
  it.each<[string, (socket: net.Socket) => unknown, string]>([
    ['a reset', (socket) => socket.resetAndDestroy(), 'ECONNRESET'],
    ['a closed connection', (socket) => socket.end(), 'ECONNRESET'],
    [
      'a server that speaks no TLS',
      (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      '(SSL|EPROTO)',
    ],
    ['a server that says nothing', () => {}, 'TIMEOUT'],
  ])('%s', async (_, begun, code) => {
    const raw = await startRawServer({ begun })
    try {
      const seen = await post(`https://127.0.0.1:${raw.port}`, code === 'TIMEOUT' ? 100 : 5000)
      expect(seen).toMatchObject({ kind: 'error', code: expect.stringMatching(code), written: false })
      await until(() => raw.open === 0, 'the connection is closed')
    } finally {
      await raw.close()
    }
  })

  it('a certificate that does not fit, or keys that do not', async () => {
    const url = await serve(() => {})
    const seen = await exchange({ method: 'POST', url, headers: {}, body: '{}', timeoutMs: 5000 })
    expect(seen).toMatchObject({ kind: 'error', written: false })
  })
})
