import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Outbox } from 'synap-outbox'
import { type ConsoleOptions, createConsole } from 'synap-outbox/console'
import { beganTest, type Connected, createScene, random, type Scene } from '../support/scene'

/** Who a request is from, by its header `x-user`, as a sign-in of the application would tell. */
const users: Record<string, { actor: string; mayChange: boolean }> = {
  olga: { actor: 'olga', mayChange: true },
  oskar: { actor: 'oskar', mayChange: true },
  rita: { actor: 'rita', mayChange: false },
}

export interface Answer {
  status: number
  headers: Headers
  text: string
}

/** A scene with one connected portal, and the console at `<url>/outbox` on a real server. */
export interface ConsoleWorld {
  readonly scene: Scene
  readonly outbox: Outbox
  readonly portal: Connected
  readonly url: string
  readonly errors: unknown[]
  get(path: string, headers?: Record<string, string>): Promise<Answer>
  /** Posts a form as the console's own page would, with a token of `user`. */
  post(path: string, fields: Record<string, string>, headers?: Record<string, string>): Promise<Answer>
  token(user?: string): Promise<string>
  record(options?: {
    event?: 'Began Test'
    portalId?: string
    userId?: string
    attemptId?: string
  }): Promise<string>
  /** A message that Segment refused for good. */
  dead(userId?: string): Promise<string>
  /** A message that Segment has, and that the outbox cannot know of: the window passed after a lost answer. */
  uncertain(userId?: string): Promise<string>
  end(): Promise<void>
}

/** What a console is put on. */
export interface Stage {
  readonly scene: Scene
  readonly outbox: Outbox
  readonly portal: Connected
  end(): Promise<void>
}

async function createStage(): Promise<Stage> {
  const scene = await createScene()
  const outbox = scene.outbox()
  const portal = await scene.connect(outbox, { portalId: 'meridian' })
  return { scene, outbox, portal, end: scene.end }
}

export async function createConsoleWorld(
  options: Partial<ConsoleOptions> = {},
  stage?: Stage,
): Promise<ConsoleWorld> {
  const { scene, outbox, portal, end } = stage ?? (await createStage())
  const errors: unknown[] = []
  const handler = createConsole({
    outbox,
    authorize: ({ headers }) => users[String(headers['x-user'])],
    onError: (error) => errors.push(error),
    ...options,
  })
  const server = http.createServer((request, response) => handler(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const ask = async (path: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(`${url}/outbox${path}`, {
      redirect: 'manual',
      signal: AbortSignal.timeout(20_000),
      ...init,
    })
    return { status: response.status, headers: response.headers, text: await response.text() }
  }
  const world: ConsoleWorld = {
    scene,
    outbox,
    portal,
    url,
    errors,
    get: (path, headers = { 'x-user': 'olga' }) => ask(path, { headers }),
    async post(path, fields, headers = { 'x-user': 'olga' }) {
      const token = fields.token ?? (await world.token(headers['x-user']))
      return ask(path, { method: 'POST', headers, body: new URLSearchParams({ ...fields, token }) })
    },
    async token(user = 'olga') {
      const { text } = await world.get(`/sources/${portal.source.sourceId}`, { 'x-user': user })
      return /name="token" value="([^"]+)"/.exec(text)?.[1] ?? ''
    },
    async record({ portalId = portal.portalId, userId = 'user-1', attemptId = random() } = {}) {
      const { messageId } = await scene.dataSource.transaction((tx) =>
        outbox.track(tx, 'Began Test', { portalId, userId, properties: beganTest(attemptId) }),
      )
      return messageId as string
    },
    async dead(userId) {
      const messageId = await world.record({ userId })
      const refused = scene.segment.fault({ kind: 'poison', predicate: () => true })
      await outbox.drain()
      await refused.clear()
      return messageId
    },
    async uncertain(userId) {
      const messageId = await world.record({ userId })
      await scene.loseAnswers(outbox)
      return messageId
    },
    async end() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
      await end()
    },
  }
  return world
}
