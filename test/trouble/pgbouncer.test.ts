import type { FactKind } from '../crash/crash-case'
import { type CrashStage, createCrashStage } from '../crash/crash-stage'
import { checkAgainstTruth } from '../crash/ground-truth'
import { Fleet } from '../crash/process/fleet'
import type { Setup } from '../crash/process/protocol'
import { hasPgBouncer, type PgBouncer, startPgBouncer } from './support/pgbouncer'

const present = hasPgBouncer()
const describeWhere = present ? describe : describe.skip

describeWhere(
  `behind PgBouncer in transaction mode${present ? '' : ' (skipped: no pgbouncer on this machine)'}`,
  () => {
    const fleet = new Fleet()
    let bouncer: PgBouncer
    let stage: CrashStage
    let setup: Setup

    beforeAll(async () => {
      bouncer = await startPgBouncer(process.env.TEST_SERVER_URL as string, 2)
    })
    beforeEach(async () => {
      stage = await createCrashStage()
      const dispatcher = { cron: '* * * * * *', batchMessages: 3 }
      setup = { ...stage.setup, databaseUrl: bouncer.through(stage.setup.databaseUrl), dispatcher }
    })
    afterEach(() => stage.end())
    afterAll(async () => {
      await fleet.end()
      await bouncer.stop()
    })

    const kinds: FactKind[] = Array.from(
      { length: 24 },
      (_, i) => (['committed', 'second', 'rolledBack', 'committed', 'poison'] as const)[i % 5] ?? 'second',
    )

    it('several processes share two connections: recorded, leased, sent, split, settled and pruned as ever', async () => {
      const processes = [fleet.take(), fleet.take()]
      stage.segment.fault([{ kind: 'reset-after-accept' }, { kind: 'status', status: 503 }])
      for (const each of processes) {
        await each.ask('open', setup)
        await each.ask('start', null)
      }
      await Promise.all(processes.map((each) => each.ask('record', stage.facts(kinds))))
      await stage.segment.waitFor({ accepted: 2 * kinds.filter(isSent).length })
      await Promise.all(processes.map((each) => each.ask('prune', null)))
      for (const each of processes) {
        await each.ask('stop', null)
        expect(await each.letGo()).toEqual({ code: 0, signal: null })
      }
      await stage.letTimePass()
      await stage.outbox({ secretKeys: stage.secretKeys }).drain() // poison that was the very last
      await checkAgainstTruth(stage.dataSource, stage.segment, stage.portals, 'at once')
    })

    it('which is killed and replaced: it goes on by itself', async () => {
      const one = fleet.take()
      await one.ask('open', setup)
      await one.ask('start', null)
      await one.ask('record', stage.facts(['committed', 'second']))
      await stage.segment.waitFor({ accepted: 2 })
      await bouncer.replace()
      await one.ask('record', stage.facts(['committed'])).catch(() => undefined) // the application's own trouble
      await one.ask('record', stage.facts(['committed', 'second']))
      const facts = await stage.rows('SELECT FROM exam_fact')
      await stage.segment.waitFor({ accepted: facts.length })
      await one.ask('stop', null)
      expect(await one.letGo()).toEqual({ code: 0, signal: null })
      await checkAgainstTruth(stage.dataSource, stage.segment, stage.portals)
    })
  },
)

function isSent(kind: FactKind): boolean {
  return kind === 'committed' || kind === 'second'
}
