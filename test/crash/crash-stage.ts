import { createScene, random, type Scene } from '../support/scene'
import type { FactKind } from './crash-case'
import type { Portal } from './ground-truth'
import { FACT_TABLE, type Fact, POISON, SECRET_KEYS, type Setup } from './process/protocol'

/** A fresh database with a business table, two connected portals, and a local Segment. */
export interface CrashStage extends Scene {
  readonly portals: readonly [Portal, Portal]
  /** Small batches and short turns, so that a few facts pass every step. */
  readonly setup: Setup
  /** What an outbox of the test itself needs, to send for the same portals. */
  readonly secretKeys: string
  facts(kinds: readonly FactKind[]): Fact[]
  /** Segment refuses poison from the start; again, after its faults were cleared. */
  refusePoison(): void
  /** What time would do after a crash: ends the dead process's sessions, its lease, and every back-off. */
  letTimePass(): Promise<void>
}

export async function createCrashStage(): Promise<CrashStage> {
  const scene = await createScene()
  await scene.dataSource.query(FACT_TABLE)
  const outbox = scene.outbox({ secretKeys: SECRET_KEYS })
  const portals = [await scene.connect(outbox), await scene.connect(outbox)] as const
  const refusePoison = () => void scene.segment.fault({ kind: 'poison', predicate: isPoison })
  refusePoison()
  const setup: Setup = {
    databaseUrl: scene.database.url,
    segmentUrl: scene.segment.url,
    dispatcher: { batchMessages: 4 },
    retention: { chunk: 1 },
  }
  return {
    ...scene,
    portals,
    setup,
    secretKeys: SECRET_KEYS,
    refusePoison,
    facts: (kinds) =>
      kinds.map((kind) => ({
        id: random(),
        portalId: portals[kind === 'second' ? 1 : 0].portalId,
        rolledBack: kind === 'rolledBack',
        poison: kind === 'poison',
      })),
    async letTimePass() {
      // The second argument makes it wait until the session is gone, with whatever it had not committed.
      await scene.rows(`SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                        WHERE datname = current_database() AND application_name = 'exam-process'`)
      await scene.rows(`UPDATE source_delivery SET lease_expires_at = '-infinity', resume_at = '-infinity'`)
    },
  }
}

function isPoison(message: Readonly<Record<string, unknown>>): boolean {
  return (message.properties as { testId?: unknown } | undefined)?.testId === POISON
}
