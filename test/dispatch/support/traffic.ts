import type { Outbox } from 'synap-outbox'
import { beganTest, type Connected, type Scene } from '../../support/scene'

/** One transaction that records a Began Test for each attempt. */
export const commitAttempts = (scene: Scene, outbox: Outbox, { portalId }: Connected, attemptIds: string[]) =>
  scene.dataSource.transaction((tx) =>
    outbox.record(
      tx,
      attemptIds.map((id) => ({
        type: 'track' as const,
        event: 'Began Test' as const,
        portalId,
        userId: 'u',
        properties: beganTest(id),
      })),
    ),
  )

/** Resolves when so many messages are settled, of one portal or of all. */
export const settled = (outbox: Outbox, count: number, portalId?: string) =>
  new Promise<void>((resolve) => {
    let left = count
    outbox.on('settled', (end) => {
      if (portalId === undefined || end.portalId === portalId) left -= end.messages
      if (left === 0) resolve()
    })
  })

/** How many messages each request had. */
export const requestSizes = (scene: Scene) =>
  scene.segment
    .requests()
    .filter(({ method }) => method === 'POST')
    .map(({ messageIds }) => messageIds.length)
