import type { Outbox } from 'synap-outbox'
import type { DataSource, EntityManager } from 'typeorm'
import { beganTest, createScene, type Scene } from '../support/scene'

/** PL/pgSQL plans anew for each of the first five calls of a session; what it then settles on is one plan for all. */
const CALLS = 10

let scene: Scene
let outbox: Outbox

beforeEach(async () => {
  scene = await createScene()
  outbox = scene.outbox()
})
afterEach(() => scene.end())

const began = (tx: EntityManager, portalId: string) =>
  outbox.track(tx, 'Began Test', { portalId, userId: 'u', properties: beganTest() })

/** Sources by SQL: nothing is sent for them. */
const addSources = (tx: Pick<DataSource, 'query'>, portalIds: string) =>
  tx.query(`
    INSERT INTO segment_source (source_id, portal_id, region, write_key_ciphertext, write_key_secret_id, write_key_last_four)
    SELECT gen_random_uuid(), portal_id, 'us', '\\x00', 'k1', 'abcd' FROM ${portalIds} portals(portal_id)`)

describe('the function that records', () => {
  it('has the transaction take its id before a seq is drawn, as the low-water mark needs it', async () => {
    const { portalId } = await scene.connect(outbox)
    const record = () => scene.dataSource.transaction((tx) => began(tx, portalId))
    await record() // a sequence takes an id itself for its first value, and for every 32nd after
    // It sees the row with its seq, and runs before PostgreSQL itself would take an id to write that row.
    await scene.rows(`
      CREATE FUNCTION need_id() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF pg_current_xact_id_if_assigned() IS NULL THEN RAISE 'seq % without an id', NEW.seq; END IF;
        RETURN NEW;
      END $$`)
    await scene.rows(
      'CREATE TRIGGER need_id BEFORE INSERT ON outbox_message FOR EACH ROW EXECUTE FUNCTION need_id()',
    )
    expect(await record()).toMatchObject({ outcome: 'recorded' })
  })

  it.each(['never analysed', 'analysed'])(
    'looks up the source of a call alone among ten thousand, %s',
    async (statistics) => {
      await scene.rows('ALTER TABLE segment_source SET (autovacuum_enabled = off)')
      await addSources(
        scene.dataSource,
        `(SELECT 'portal-' || i AS portal_id FROM generate_series(1, 10000) i)`,
      )
      if (statistics === 'analysed') await scene.rows('ANALYZE segment_source')
      await scene.dataSource.transaction(async (tx) => {
        for (let i = 1; i <= CALLS; i++) {
          expect(await began(tx, `portal-${i}`)).toMatchObject({ outcome: 'recorded' })
        }
        const [read] = await tx.query(
          `SELECT seq_tup_read::int AS walked, idx_tup_fetch::int AS fetched
           FROM pg_stat_xact_user_tables WHERE relid = 'segment_source'::regclass`,
        )
        expect(read).toEqual({ walked: 0, fetched: CALLS })
      })
    },
  )

  it('writes where the search path leads at each call, on one connection', async () => {
    const url = new URL(scene.database.url)
    url.searchParams.set('options', '-c search_path=tenant')
    await scene.rows('CREATE SCHEMA tenant')
    const tenant = await scene.database.connect({ url: url.href })
    await tenant.runMigrations()
    await addSources(tenant, `(VALUES ('portal'))`)
    await addSources(scene.dataSource, `(VALUES ('portal'))`)

    const oneConnection = await scene.database.connect({ extra: { max: 1 } })
    outbox = scene.outbox({ dataSource: oneConnection })
    for (let i = 0; i < CALLS; i++) {
      await oneConnection.transaction((tx) => began(tx, 'portal'))
      await oneConnection.transaction(async (tx) => {
        await tx.query('SET LOCAL search_path = tenant')
        await began(tx, 'portal')
      })
    }
    for (const schema of ['public', 'tenant']) {
      const rows = await scene.rows(
        `SELECT FROM ${schema}.outbox_message JOIN ${schema}.segment_source USING (source_id)`,
      )
      expect(rows).toHaveLength(CALLS)
    }
  })
})
