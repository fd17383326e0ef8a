import pg from 'pg'
import type { Outbox } from 'synap-outbox'
import { beganTest, createScene, type Scene } from '../support/scene'

interface Kept {
  rows: unknown[]
  values: unknown[]
}

let scene: Scene
let outbox: Outbox

beforeEach(async () => {
  scene = await createScene()
  outbox = scene.outbox()
})
afterEach(async () => {
  jest.restoreAllMocks()
  await scene.end()
})

/** What pg holds of each of the dispatcher's statements, long after it was answered: see `Database`. */
function watchPg(): Promise<Kept>[] {
  const kept: Promise<Kept>[] = []
  const { query } = pg.Client.prototype
  jest.spyOn(pg.Client.prototype, 'query').mockImplementation(function (
    this: pg.Client,
    ...given: unknown[]
  ) {
    const answer = Reflect.apply(query, this, given) as Promise<pg.QueryResult>
    const [text, values] = given as [string, unknown[]?]
    if (values && text.includes('outbox_')) kept.push(answer.then(({ rows }) => ({ rows, values })))
    return answer as never
  })
  return kept
}

it('pg is left with neither rows nor parameters of what the dispatcher asked', async () => {
  const { portalId } = await scene.connect(outbox)
  await scene.dataSource.transaction((tx) =>
    outbox.track(tx, 'Began Test', { portalId, userId: 'u', properties: beganTest() }),
  )
  const kept = watchPg()
  expect(await outbox.drain()).toMatchObject({ delivered: 1 })
  expect(kept.length).toBeGreaterThanOrEqual(3) // lease, batch, settle
  for (const { rows, values } of await Promise.all(kept)) expect([...rows, ...values]).toEqual([])
})
