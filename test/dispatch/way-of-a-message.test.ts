import type { Outbox } from 'synap-outbox'
import { beganTest, type Connected, createScene, random, type Scene } from '../support/scene'

let scene: Scene
let outbox: Outbox
let portal: Connected

beforeAll(async () => {
  scene = await createScene()
  outbox = scene.outbox()
  portal = await scene.connect(outbox)
})
afterAll(() => scene.end())

describe('from a committed transaction to Segment', () => {
  it('delivers what was committed, once, and nothing of what was rolled back', async () => {
    const { portalId } = portal
    const committed = random()
    await scene.dataSource.transaction(async (tx) => {
      const result = await outbox.track(tx, 'Began Test', {
        portalId,
        userId: 'u1',
        properties: beganTest(committed),
      })
      expect(result.outcome).toBe('recorded')
    })
    await expect(
      scene.dataSource.transaction(async (tx) => {
        await outbox.track(tx, 'Began Test', { portalId, userId: 'u1', properties: beganTest() })
        throw new Error('the exam was not saved')
      }),
    ).rejects.toThrow('the exam was not saved')

    const report = await outbox.drain()

    expect(report).toMatchObject({ delivered: 1, requests: 1, dead: 0, uncertain: 0 })
    const accepted = scene.segment.accepted({ writeKey: portal.writeKey })
    expect(accepted.map((message) => message.event)).toEqual(['Began Test'])
    expect(accepted[0]?.message).toMatchObject({
      type: 'track',
      userId: 'u1',
      event: 'Began Test',
      properties: beganTest(committed),
    })
  })
})
