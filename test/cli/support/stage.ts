import type { Outbox } from 'synap-outbox'
import { beganTest, createScene, type Scene } from '../../support/scene'
import { commandLine, SECRET_KEYS } from './cli'

/** A scene with something of everything: what an engineer on call may find. */
export interface Stage {
  readonly scene: Scene
  readonly outbox: Outbox
  readonly cli: ReturnType<typeof commandLine>
  record(portalId: string, userId: string, attempts: number): Promise<string[]>
  /** Messages that Segment refuses. */
  recordDead(portalId: string, userId: string, attempts: number): Promise<string[]>
  /** Messages that Segment may have, past the dedup window. */
  recordUncertain(portalId: string, userId: string, attempts: number): Promise<string[]>
  /** A message that could never be sent. */
  recordDiverted(portalId: string, userId: string): Promise<string>
}

export async function createStage(portals: readonly string[] = ['meridian']): Promise<Stage> {
  const scene = await createScene()
  // Pauses that outlast the tests: one failure is one attempt.
  const backoff = { initialMs: 3_600_000, maxMs: 3_600_000, refusedMs: 3_600_000 }
  const outbox = scene.outbox({ secretKeys: SECRET_KEYS, dispatcher: { backoff } })
  for (const portalId of portals) await scene.connect(outbox, { portalId })
  let attempt = 0

  const record = (portalId: string, userId: string, attempts: number) =>
    scene.dataSource.transaction(async (tx) => {
      const calls = Array.from({ length: attempts }, () => ({
        type: 'track' as const,
        event: 'Began Test' as const,
        portalId,
        userId,
        properties: beganTest(`attempt-${++attempt}`),
      }))
      return (await outbox.record(tx, calls)).map(({ messageId }) => messageId as string)
    })
  return {
    scene,
    outbox,
    cli: commandLine(scene),
    record,
    async recordDead(portalId, userId, attempts) {
      const refused = scene.segment.fault({
        kind: 'poison',
        predicate: (message) => message.userId === userId,
      })
      const ids = await record(portalId, userId, attempts)
      await outbox.drain()
      await refused.clear()
      return ids
    },
    async recordUncertain(portalId, userId, attempts) {
      const ids = await record(portalId, userId, attempts)
      await scene.loseAnswers(outbox)
      return ids
    },
    async recordDiverted(portalId, userId) {
      const { messageId } = await scene.dataSource.transaction((tx) =>
        outbox.track(tx, 'Began Test', { portalId, userId, properties: {} as never }),
      )
      return messageId as string
    },
  }
}
