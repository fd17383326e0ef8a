import type { Hono } from 'hono'
import type { MessageType, Outbox } from 'synap-outbox'
import { failOnDiverted, type RecordedCall, recorded } from 'synap-outbox/testing'
import { createPortalApp } from '../../src/portal/http/app'
import { type SeededPortal, seedPortal } from '../../src/portal/seed'
import { createScene, type Scene } from '../support/scene'

/** A password that costs microseconds: the real cost is tested in passwords.test.ts. */
const PASSWORD_COST = 4

const TYPES: readonly MessageType[] = ['identify', 'page', 'group', 'track']

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: the tests assert its shape
  body: any
}

/** Two seeded portals, Alpha and Beta, both connected to Segment, behind one API with a clock that tests set. */
export interface PortalWorld {
  readonly scene: Scene
  readonly outbox: Outbox
  readonly app: Hono
  readonly alpha: SeededPortal
  readonly beta: SeededPortal
  /** Every error that the portal answered with a bare 500. */
  readonly unforeseen: unknown[]
  now(): Date
  pass(time: { seconds?: number; minutes?: number; days?: number }): void
  /** A request to `/api/portals/<slug><path>`. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>
  /** The bearer token of a seeded user of the portal (Alpha unless told). */
  logIn(email: string, portal?: SeededPortal): Promise<string>
  /** What is in the outbox for the portal, in order of recording: all, or one event or type of call. */
  recorded(eventOrType?: string, portal?: SeededPortal): Promise<RecordedCall[]>
  /**
   * Makes requests race: they run while another transaction has executed `sql`, and that one is rolled back once
   * every one of them waits for it.
   */
  race(hold: { sql: string; parameters: unknown[] }, requests: (() => Promise<Answer>)[]): Promise<Answer[]>
  /** Empties the outbox between tests. */
  forget(): Promise<void>
  /** Closes everything. Fails if the portal has made a call that cannot be sent. */
  end(): Promise<void>
}

export interface CallOptions {
  token?: string
  portal?: SeededPortal
  body?: unknown
  headers?: Record<string, string>
}

export async function createPortalWorld(options: { detailedEvents?: boolean } = {}): Promise<PortalWorld> {
  const scene = await createScene()
  const { dataSource } = scene
  const outbox = scene.outbox()
  const noneDiverted = failOnDiverted(outbox)
  let now = new Date('2026-03-02T09:00:00.000Z')
  const unforeseen: unknown[] = []
  const app = createPortalApp({
    dataSource,
    outbox,
    clock: () => now,
    settings: { passwordCost: PASSWORD_COST },
    onError: (error) => unforeseen.push(error),
  })
  const seed = async (slug: string) => {
    const portal = await seedPortal(dataSource, {
      slug,
      name: slug,
      students: 3,
      passwordCost: PASSWORD_COST,
      now,
    })
    await scene.connect(outbox, { portalId: portal.portalId, detailedEvents: options.detailedEvents ?? true })
    return portal
  }
  const alpha = await seed('alpha')
  const beta = await seed('beta')

  const call = async (method: string, path: string, given: CallOptions = {}): Promise<Answer> => {
    const { token, portal = alpha, body, headers } = given
    const response = await app.request(`/api/portals/${portal.slug}${path}`, {
      method,
      headers: { ...(token && { Authorization: `Bearer ${token}` }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : JSON.parse(text),
    }
  }

  return {
    scene,
    outbox,
    app,
    alpha,
    beta,
    unforeseen,
    now: () => now,
    pass({ seconds = 0, minutes = 0, days = 0 }) {
      now = new Date(now.getTime() + (seconds + minutes * 60 + days * 86_400) * 1000)
    },
    call,
    async logIn(email, portal = alpha) {
      const { status, body } = await call('POST', '/login', {
        portal,
        body: { email, password: portal.password },
      })
      expect(status).toBe(200)
      return body.token
    },
    recorded: (eventOrType, { portalId } = alpha) => {
      const type = TYPES.find((name) => name === eventOrType)
      return recorded(dataSource, { portalId, ...(type ? { type } : { event: eventOrType }) })
    },
    async race({ sql, parameters }, requests) {
      const holder = (await scene.database.connect()).createQueryRunner()
      await holder.startTransaction()
      await holder.query(sql, parameters)
      const answers = Promise.all(requests.map((request) => request()))
      try {
        await allWait(scene, requests.length)
      } finally {
        await holder.rollbackTransaction()
        await holder.release()
      }
      return answers
    },
    async forget() {
      await scene.rows('DELETE FROM outbox_message')
    },
    async end() {
      await scene.end()
      noneDiverted()
    },
  }
}

/** Resolves once this many connections wait for a lock of another. */
async function allWait(scene: Scene, connections: number): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; ) {
    const [row] = await scene.rows<{ waiting: number }>(
      `SELECT count(*)::int AS waiting FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    if (row?.waiting === connections) return
  }
  throw new Error(`${connections} requests were to wait for each other, and did not.`)
}

/** The element, which the test is sure of. */
export function at<T>(items: readonly T[], index: number): T {
  const item = items[index]
  if (item === undefined) throw new Error(`There is no item ${index}.`)
  return item
}
