// One process of the storm, killed and started again at random: it records business facts with their events, and
// dispatches. What it is to do comes in the environment as JSON; it ends with the process that started it.
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { load } from './storm-build.mjs'
import { randomFrom } from './storm-random.mjs'
import { dispatcher, POISON, secretKeys, segmentTimeoutMs } from './storm-settings.mjs'

/** What a business transaction fails with when it is to. */
class Meant extends Error {}

const { folder, url, hosts, portals, seed, recorders } = JSON.parse(process.env.STORM)
process.on('disconnect', () => process.exit(1))
const { createDataSource, createOutbox } = await load(folder)
const random = randomFrom(seed)
const dataSource = await createDataSource({ url, poolSize: 5, logging: false }).initialize()
const outbox = createOutbox({
  dataSource,
  secretKeys,
  dispatcher,
  segment: { host: hosts, timeoutMs: segmentTimeoutMs },
})
await outbox.start()
/** Keys of facts that are committed, by portal: some are recorded again. */
const committed = new Map(portals.map((portal) => [portal, []]))
await Promise.all(Array.from({ length: recorders }, record))

async function record() {
  for (;;) {
    await business().catch(reportUnlessMeant)
    await pause(random.between(2, 40))
  }
}

function reportUnlessMeant(error) {
  if (!(error instanceof Meant)) console.error('storm: a business transaction failed:', error.message)
}

/** A business transaction like any other: rows of its own, and their events. It may be slow, and it may fail. */
async function business() {
  const portal = random.pick(portals)
  const keys = []
  await dataSource.transaction(async (tx) => {
    // What this transaction sees as it begins: who committed before it.
    const [{ seen }] = await tx.query('SELECT pg_current_snapshot()::text AS seen')
    for (let i = random.between(1, 4); i > 0; i--) keys.push(await fact(tx, portal, seen))
    if (random.chance(0.15)) await savepoint(tx, portal, seen)
    const again = random.pick(committed.get(portal))
    if (again && random.chance(0.1)) await outbox.track(tx, 'Began Test', call(portal, again, false))
    if (random.chance(0.1)) await pause(random.between(20, 400))
    if (random.chance(0.15)) throw new Meant()
  })
  committed.get(portal).push(...keys.filter((key) => !key.startsWith('poison')))
  committed.get(portal).splice(0, Math.max(0, committed.get(portal).length - 100))
}

/** A nested transaction, which in half of the cases is rolled back alone. */
async function savepoint(tx, portal, seen) {
  const rollsBack = random.chance(0.5)
  const nested = tx.transaction(async (inner) => {
    await fact(inner, portal, seen)
    if (rollsBack) throw new Meant()
  })
  await nested.catch((error) => {
    if (!(error instanceof Meant)) throw error
  })
}

/** A row of the business table and its event, in one transaction. Returns its key. */
async function fact(tx, portal, seen) {
  const poison = random.chance(0.01)
  const key = `${poison ? 'poison' : 'attempt'}-${randomUUID()}`
  await tx.query(
    `INSERT INTO storm_fact (portal_id, key, poison, xid, seen)
     VALUES ($1, $2, $3, pg_current_xact_id(), $4::pg_snapshot)`,
    [portal, key, poison, seen],
  )
  await outbox.track(tx, 'Began Test', call(portal, key, poison))
  return key
}

function call(portalId, attemptId, poison) {
  const testId = poison ? POISON : 'test-1'
  return { portalId, userId: 'user-1', properties: { testId, attemptId, attemptNumber: 1 } }
}
