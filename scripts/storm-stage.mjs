import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { load, loadServers } from './storm-build.mjs'
import { dispatcher, POISON, secretKeys, segmentTimeoutMs } from './storm-settings.mjs'
import { compare } from './storm-verify.cjs'

/** A database of its own, a local Segment, and portals connected to it. */
export async function createStage(folder, serverUrl, portalCount) {
  const { createDataSource, createOutbox, messageId } = await load(folder)
  const { startLocalSegment } = await loadServers(folder)
  const name = `synap_outbox_storm_${randomBytes(6).toString('hex')}`
  await onServer(serverUrl, `CREATE DATABASE ${name}`)
  const url = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href
  const dataSource = await createDataSource({ url, poolSize: 6, logging: false }).initialize()
  await dataSource.runMigrations()
  await dataSource.query(
    `CREATE TABLE storm_fact (n bigserial PRIMARY KEY, portal_id text NOT NULL, key text NOT NULL,
       poison boolean NOT NULL, xid xid8 NOT NULL, seen pg_snapshot NOT NULL)`,
  )
  const segment = await startLocalSegment()
  const poison = () =>
    segment.fault({ kind: 'poison', predicate: ({ properties }) => properties?.testId === POISON })
  poison() // first, and so before any other fault: Segment takes nothing of a request that holds it
  const hosts = { us: segment.url, eu: segment.euUrl }
  const options = {
    dataSource,
    secretKeys,
    dispatcher,
    segment: { host: hosts, timeoutMs: segmentTimeoutMs },
  }
  const outbox = createOutbox(options)
  const sources = new Map()
  for (let i = 0; i < portalCount; i++) {
    const writeKey = randomBytes(16).toString('hex')
    segment.addWriteKey(writeKey)
    const { sourceId } = await outbox.sources.connect({ portalId: `portal-${i}`, writeKey })
    sources.set(writeKey, sourceId)
  }
  return {
    url,
    hosts,
    segment,
    dataSource,
    outbox,
    writeKeys: [...sources.keys()],
    portals: Array.from({ length: portalCount }, (_, i) => `portal-${i}`),
    /** No faults but one: poison stays poison. */
    async quiet() {
      await segment.clearFaults()
      poison()
    },
    verify: () => verify(dataSource, segment, sources, messageId),
    async end() {
      await outbox.stop()
      await dataSource.destroy()
      await segment.close()
      await onServer(serverUrl, `DROP DATABASE ${name} WITH (FORCE)`)
    },
  }
}

async function verify(dataSource, segment, sources, messageId) {
  const rows = await dataSource.query(
    `SELECT f.n::int, s.source_id AS "sourceId", f.key, f.poison, f.xid::text, f.seen::text, m.message_id AS "messageId", m.status
     FROM storm_fact f JOIN segment_source s USING (portal_id)
     LEFT JOIN outbox_message m ON m.source_id = s.source_id AND m.body -> 'properties' ->> 'attemptId' = f.key
     ORDER BY f.n`,
  )
  const facts = rows.map(({ xid, seen, ...row }) => ({
    ...row,
    xid: BigInt(xid),
    snapshot: snapshotOf(seen),
  }))
  const arrivals = segment.accepted().map(({ messageId: id, writeKey, message }) => ({
    messageId: id,
    sourceId: sources.get(writeKey),
    key: message.properties.attemptId,
  }))
  const [{ drawn, stray }] = await dataSource.query(
    `SELECT (SELECT last_value::int FROM storm_fact_n_seq) AS drawn,
       (SELECT count(*)::int FROM outbox_message m WHERE NOT EXISTS
         (SELECT FROM storm_fact f WHERE f.key = m.body -> 'properties' ->> 'attemptId')) AS stray`,
  )
  const compared = compare(facts, arrivals, (sourceId, key) => messageId(sourceId, 'Began Test', key))
  return {
    events: drawn,
    committed: facts.length,
    rolledBack: drawn - facts.length,
    ...compared,
    leaked: compared.leaked + stray,
    ...wire(segment),
  }
}

function wire(segment) {
  const requests = segment.requests().filter(({ method }) => method === 'POST')
  const sent = requests.flatMap(({ messageIds }) => messageIds)
  return {
    faults: requests.filter(({ fault }) => fault !== undefined && fault !== 'poison').length,
    requests: requests.length,
    resends: sent.length - new Set(sent).size,
  }
}

/** PostgreSQL's text for it: xmin:xmax:running,running */
function snapshotOf(text) {
  const [xmin, xmax, running = ''] = text.split(':')
  return {
    xmin: BigInt(xmin),
    xmax: BigInt(xmax),
    running: new Set(running.split(',').filter(Boolean).map(BigInt)),
  }
}

async function onServer(serverUrl, statement) {
  const client = new pg.Client({ connectionString: serverUrl })
  await client.connect()
  await client.query(statement).finally(() => client.end())
}
