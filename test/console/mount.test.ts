import { once } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import path from 'node:path'
import express from 'express'
import type { Outbox } from 'synap-outbox'
import { createConsole } from 'synap-outbox/console'
import { type Connected, createScene, type Scene } from '../support/scene'
import * as expressMount from './mount/express'
import * as fastifyMount from './mount/fastify'
import * as httpMount from './mount/http'
import * as nestMount from './mount/nest'

interface Listening {
  port: number
  close(): Promise<unknown>
}

let scene: Scene
let outbox: Outbox
let portal: Connected
beforeAll(async () => {
  scene = await createScene()
  outbox = scene.outbox()
  portal = await scene.connect(outbox, { portalId: 'meridian' })
})
afterAll(() => scene.end())

async function listen(server: http.Server): Promise<Listening> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** What a server answers to bytes that no HTTP client would send. */
async function firstLine(port: number, request: string): Promise<string> {
  const socket = net.connect(port, '127.0.0.1').end(request)
  let answer = ''
  for await (const chunk of socket.setEncoding('utf8')) answer += chunk
  return answer.split('\r\n', 1)[0] ?? ''
}

const authorize = () => ({ actor: 'olga', mayChange: true })
const servers: Record<string, () => Promise<Listening>> = {
  http: () => listen(httpMount.createServer(outbox)),
  express: () => listen(http.createServer(expressMount.createApp(outbox))),
  async fastify() {
    const app = fastifyMount.createApp(outbox)
    await app.listen({ port: 0, host: '127.0.0.1' })
    return { port: (app.server.address() as AddressInfo).port, close: () => app.close() }
  },
  async nest() {
    const app = await nestMount.createApp(outbox)
    await app.listen(0, '127.0.0.1')
    return { port: (app.getHttpServer().address() as AddressInfo).port, close: () => app.close() }
  },
}

describe.each(Object.keys(servers))('on %s', (name) => {
  let server: Listening
  let url: string
  beforeAll(async () => {
    server = await (servers[name] as () => Promise<Listening>)()
    url = `http://127.0.0.1:${server.port}`
  })
  afterAll(() => server.close())
  const staff = { cookie: 'session=staff' }
  const get = (address: string, headers: Record<string, string> = staff) => fetch(url + address, { headers })

  it('shows its pages to those who are let in, and leaves the rest to the application', async () => {
    const page = await (await get('/outbox')).text()
    expect(page).toContain('olga@synap.ac')
    expect(page).toContain('href="/outbox/messages"')
    expect((await get('/outbox/messages?portalId=meridian&status=dead')).status).toBe(200)
    expect((await get('/outbox', {})).status).toBe(403)
    expect(await (await get('/')).text()).toBe('the application')
    expect((await (await get('/outboxes')).text()).includes('synap.ac')).toBe(false)
  })

  it('serves its style sheet', async () => {
    const page = await (await get('/outbox/doctor')).text()
    const sheet = await get(/href="(\/outbox\/style-[^"]+)"/.exec(page)?.[1] ?? '', {})
    expect(sheet.headers.get('content-type')).toBe('text/css; charset=utf-8')
  })

  it('reads its forms', async () => {
    const address = `/outbox/sources/${portal.source.sourceId}`
    for (const [change, status] of [
      ['pause', 'paused'],
      ['resume', 'enabled'],
    ]) {
      const token = /name="token" value="([^"]+)"/.exec(await (await get(address)).text())?.[1] ?? ''
      const answer = await fetch(`${url}${address}/${change}`, {
        method: 'POST',
        redirect: 'manual',
        headers: staff,
        body: new URLSearchParams({ token, why: 'a test of forms' }),
      })
      expect([answer.status, answer.headers.get('location')]).toEqual([303, address])
      expect((await outbox.sources.ofPortal('meridian'))?.status).toBe(status)
    }
  })

  it('survives what is no request of a browser', async () => {
    expect((await get('/outbox/messages/%')).status).toBeLessThan(500)
    expect((await get('/outbox/..%2f..%2fetc/passwd')).status).toBe(404)
    const odd = await fetch(`${url}/outbox/operations`, {
      method: 'POST',
      headers: staff,
      body: '{"token":1}',
    })
    expect(odd.status).toBe(403)
    expect(
      await firstLine(server.port, 'GET /outbox HTTP/1.1\r\nHost: not a host\r\nConnection: close\r\n\r\n'),
    ).toMatch(/ 400 /)
    expect((await get('/outbox')).status).toBe(200)
  })
})

describe('below a path of Express', () => {
  it.each(['/outbox', '/internal/outbox'])('links to itself where it is mounted with %s', async (at) => {
    const app = express()
    app.use(at, createConsole({ outbox, authorize, path: at }))
    const server = await listen(http.createServer(app))
    const answer = await fetch(`http://127.0.0.1:${server.port}${at}/sources?portalId=meridian`)
    const text = await answer.text()
    await server.close()
    expect(text).toContain(`href="${at}/sources/${portal.source.sourceId}"`)
  })
})

it('is not harmed by an onError that fails itself', async () => {
  const operations = createConsole({
    outbox,
    authorize: () => Promise.reject(new Error('no session store')),
    onError: () => {
      throw new Error('no log either')
    },
  })
  const server = await listen(http.createServer((request, response) => operations(request, response)))
  const answer = await fetch(`http://127.0.0.1:${server.port}/outbox`)
  await server.close()
  expect(answer.status).toBe(500)
})

it('answers 404 outside its path where nobody else does', async () => {
  const handler = createConsole({ outbox, authorize })
  const server = await listen(http.createServer((request, response) => handler(request, response)))
  const answer = await fetch(`http://127.0.0.1:${server.port}/`)
  await server.close()
  expect([answer.status, await answer.text()]).toEqual([404, 'There is no such page.\n'])
})

it('does not replace what its host has: Request and Response stay Node’s own', () => {
  const own = [Request, Response]
  createConsole({ outbox, authorize })
  expect([Request, Response]).toEqual(own)
})

it('is shown in its document as it is tested here', () => {
  const read = (file: string) => fs.readFileSync(path.resolve(__dirname, file), 'utf8')
  const blocks = [...read('../../docs/console.md').matchAll(/```ts\n\/\/ (\S+)\n(.*?)```/gs)]
  expect(blocks.map(([, name]) => name)).toEqual([
    'operator.ts',
    'http.ts',
    'express.ts',
    'fastify.ts',
    'nest.ts',
  ])
  for (const [, name, code] of blocks) expect(code).toBe(read(`mount/${name}`))
})
